//! Sends a frame to nowhere in particular and says how long it is.

use bytes::Bytes;
use bytesbuf::mem::GlobalPool;

fn main() {
    let frame = compat_client::encode(&Bytes::from_static(b"hello"), &GlobalPool::new());
    println!("a frame of {} bytes: {frame:?}", frame.len());
}
