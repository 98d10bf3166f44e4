//! A shared library with a copy of this crate of its own, loaded at run time (see
//! `examples/plugin`): blocks cross the border both ways and come home, on any
//! thread, and after the pool that lent them is gone.
#![cfg(all(feature = "std", target_os = "linux", not(any(miri, bytesbuf_loom))))]
// It may build the example, which these need a target and other flags for.
#![cfg(not(any(
    bytesbuf_sanitize = "address",
    bytesbuf_sanitize = "leak",
    bytesbuf_sanitize = "memory",
    bytesbuf_sanitize = "thread",
)))]
// A program that is linked statically loads nothing.
#![cfg(not(target_feature = "crt-static"))]
#![expect(unsafe_code, reason = "loads a library and calls it")]

mod example;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use bytesbuf::mem::GlobalPool;
use bytesbuf::{BytesBuf, BytesView};

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}

const RTLD_NOW: c_int = 2;

/// What the library exports.
struct Plugin {
    view: extern "C" fn(usize, u8) -> *mut BytesView,
    buffer: extern "C" fn(usize) -> *mut BytesBuf,
    take: unsafe extern "C" fn(*mut BytesView) -> usize,
    in_use: extern "C" fn() -> usize,
    thread_caches: extern "C" fn() -> usize,
    close: extern "C" fn(),
}

/// The library, loaded once and never unloaded. Its figures are shared, so the tests
/// take turns.
fn plugin() -> (MutexGuard<'static, ()>, &'static Plugin) {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (turn, PLUGIN.get_or_init(load))
}

fn load() -> Plugin {
    let path = example::file("plugin", "libplugin.so");
    let path = CString::new(path.into_os_string().into_encoded_bytes()).unwrap();
    // SAFETY: a path; the library has no initialiser of its own.
    let library = unsafe { dlopen(path.as_ptr(), RTLD_NOW) };
    assert!(!library.is_null(), "{path:?}: {}", complaint());
    let symbol = |name: &CStr| {
        // SAFETY: a library that stays loaded, and a name.
        let address = unsafe { dlsym(library, name.as_ptr()) };
        assert!(!address.is_null(), "{name:?}: {}", complaint());
        address
    };
    macro_rules! function {
        ($name:literal, $type:ty) => {
            // SAFETY: the function of this name has this type, in the library's source.
            unsafe { std::mem::transmute::<*mut c_void, $type>(symbol($name)) }
        };
    }
    let sizes = function!(c"plugin_sizes", extern "C" fn() -> usize);
    let ours = size_of::<BytesView>() << 16 | size_of::<BytesBuf>();
    assert_eq!(sizes(), ours, "not built from the same sources");
    Plugin {
        view: function!(c"plugin_view", extern "C" fn(usize, u8) -> *mut BytesView),
        buffer: function!(c"plugin_buffer", extern "C" fn(usize) -> *mut BytesBuf),
        take: function!(
            c"plugin_take",
            unsafe extern "C" fn(*mut BytesView) -> usize
        ),
        in_use: function!(c"plugin_in_use", extern "C" fn() -> usize),
        thread_caches: function!(c"plugin_thread_caches", extern "C" fn() -> usize),
        close: function!(c"plugin_close", extern "C" fn()),
    }
}

fn complaint() -> String {
    // SAFETY: the text of the last error, or null.
    let text = unsafe { dlerror() };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: a text that lasts until the next call.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

impl Plugin {
    fn lent_view(&self, bytes: usize, value: u8) -> BytesView {
        // SAFETY: a boxed view that the library gives away; one allocator serves both.
        *unsafe { Box::from_raw((self.view)(bytes, value)) }
    }

    fn lent_buffer(&self, bytes: usize) -> BytesBuf {
        // SAFETY: a boxed buffer that the library gives away.
        *unsafe { Box::from_raw((self.buffer)(bytes)) }
    }
}

#[test]
fn views_of_a_library_are_used_and_dropped_here() {
    let (_turn, plugin) = plugin();
    let pool = GlobalPool::new();
    let mut view = plugin.lent_view(70_000, 7);
    assert_eq!((plugin.in_use)(), 2 * 65_536);
    assert_eq!(pool.stats().bytes_in_use(), 0, "two pools");
    view.append(BytesView::copied_from_slice(b"ours", &pool));
    view.append(plugin.lent_view(10, 8));
    assert_eq!(view.range(69_998..70_006), b"\x07\x07ours\x08\x08");
    let twin = view.clone();
    view.advance(70_000);
    thread::spawn(move || drop(twin)).join().unwrap();
    assert_eq!((plugin.in_use)(), 1024);
    view.detach(&pool);
    assert_eq!((plugin.in_use)(), 0);
    drop(view);
    assert_eq!(pool.stats().bytes_in_use(), 0);
}

#[test]
fn buffers_of_a_library_are_filled_here() {
    let (_turn, plugin) = plugin();
    let pool = GlobalPool::new();
    let mut buf = plugin.lent_buffer(1000);
    let room = buf.remaining_capacity();
    buf.put_byte_repeated(1, room);
    buf.reserve(5000, &pool);
    buf.put_byte_repeated(2, 5000);
    let mut rest = buf.split_off_remaining(100);
    rest.put_slice(*b"rest");
    buf.put_bytes(rest.consume_all());
    let view = buf.consume_all();
    drop((buf, rest));
    assert_eq!((view.len(), view.slices().len()), (room + 5004, 3));
    assert!((plugin.in_use)() > 0 && pool.stats().bytes_in_use() > 0);
    drop(view);
    assert_eq!(((plugin.in_use)(), pool.stats().bytes_in_use()), (0, 0));
}

#[test]
fn views_of_ours_are_dropped_there() {
    let (_turn, plugin) = plugin();
    let pool = GlobalPool::new();
    let mut view = plugin.lent_view(100, 3);
    view.append(BytesView::copied_from_slice(&[2; 100_000], &pool));
    let view = Box::into_raw(Box::new(view));
    // SAFETY: a boxed view, given away.
    let sum = unsafe { (plugin.take)(view) };
    assert_eq!(sum, 300 + 200_000);
    assert_eq!(((plugin.in_use)(), pool.stats().bytes_in_use()), (0, 0));
}

/// Threads of ours get thread-locals of the library's, and take them along.
#[test]
fn threads_end_with_caches_of_both() {
    let (_turn, plugin) = plugin();
    let pool = GlobalPool::new();
    let before = (plugin.thread_caches)();
    for _ in 0..20 {
        let pool = pool.clone();
        let worker = thread::spawn(move || {
            let theirs = plugin.lent_view(5000, 1);
            let ours = BytesView::copied_from_slice(b"ours", &pool);
            theirs.concat(ours)
        });
        assert_eq!(worker.join().unwrap().len(), 5004);
    }
    // This thread may have got one, by dropping.
    assert!((plugin.thread_caches)() <= before + 1);
    assert_eq!(((plugin.in_use)(), pool.stats().bytes_in_use()), (0, 0));
}

#[test]
fn blocks_outlive_the_pool_of_the_library() {
    let (_turn, plugin) = plugin();
    let view = plugin.lent_view(200_000, 9);
    let mut buf = plugin.lent_buffer(10);
    (plugin.close)();
    assert_eq!((plugin.in_use)(), 0, "another pool");
    buf.put_slice(*b"still good");
    assert_eq!(view, vec![9; 200_000]);
    let elsewhere = thread::spawn(move || drop(view));
    assert_eq!(buf.consume_all(), b"still good");
    drop(buf);
    elsewhere.join().unwrap();
    assert_eq!((plugin.in_use)(), 0);
}
