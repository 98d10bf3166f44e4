//! Sockets: vectored reads into uninitialised capacity, vectored writes out of
//! views, and the wiring of one client through the relay to its sink.
#![expect(
    unsafe_code,
    reason = "declares the bytes initialised that the system received into a buffer"
)]

use std::io::{self, IoSlice, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bytesbuf::{BytesBuf, BytesView};
use socket2::{MaybeUninitSlice, SockRef};

use crate::failure::{During, Failure};

/// A socket that makes no progress for this long is an error: no run can hang.
pub(crate) const IO_TIMEOUT: Duration = Duration::from_secs(30);

/// Most slices in one vectored call. Systems allow 1024 or more.
const MAX_SLICES: usize = 256;

/// Receives once into the unfilled capacity of `buf`, over as many blocks as it
/// takes. Returns the bytes received; zero when the peer has shut down, or when
/// there is no capacity.
pub(crate) fn receive(socket: &TcpStream, buf: &mut BytesBuf) -> io::Result<usize> {
    let socket = SockRef::from(socket);
    let mut write = buf.begin_vectored_write(None);
    let mut slices: Vec<MaybeUninitSlice<'_>> = write
        .slices_mut()
        .take(MAX_SLICES)
        .map(|(slice, _meta)| MaybeUninitSlice::new(slice))
        .collect();
    let received = loop {
        match socket.recv_vectored(&mut slices) {
            Ok((received, _flags)) => break received,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Dropping `write` gives it up: the buffer is as it was.
            Err(error) => return Err(error),
        }
    };
    drop(slices);
    // SAFETY: the system has initialised the first `received` bytes of `slices`,
    // filling each slice before the next; these are the first slices of `write`
    // in its own order, and none was left out in between.
    unsafe { write.commit(received) };
    Ok(received)
}

/// Sends all of `view`, as many slices a call as [`MAX_SLICES`] allows. The slices
/// are the blocks' own memory. Blocks while the peer does not read.
pub(crate) fn send_all(mut socket: &TcpStream, mut view: BytesView) -> io::Result<()> {
    while !view.is_empty() {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let mut filled = 0;
        for (slot, slice) in slices.iter_mut().zip(view.io_slices()) {
            *slot = slice;
            filled += 1;
        }
        match socket.write_vectored(&slices[..filled]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(sent) => view.advance(sent),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The four sockets on the way of one stream.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: TcpStream,
    pub(crate) relay_in: TcpStream,
    pub(crate) relay_out: TcpStream,
    pub(crate) sink: TcpStream,
}

impl Link {
    /// Connects a client to the relay's listener, and the relay to the sinks'.
    pub(crate) fn connect(relay: &TcpListener, sinks: &TcpListener) -> Result<Self, Failure> {
        let (client, relay_in) = connect_pair(relay).during("cannot connect to the relay")?;
        let (relay_out, sink) = connect_pair(sinks).during("cannot connect to a sink")?;
        Ok(Self {
            client,
            relay_in,
            relay_out,
            sink,
        })
    }

    /// Ends all four connections, so that no thread stays blocked on one.
    pub(crate) fn shut_down(&self) {
        for socket in [&self.client, &self.relay_in, &self.relay_out, &self.sink] {
            // An error says that it is closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Listens on loopback. Port 0 stands for any free one.
pub(crate) fn listen(port: u16) -> Result<TcpListener, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let cannot =
        |error: io::Error| Failure::unusable(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).map_err(cannot)?;
    // `accept` polls, see there.
    listener.set_nonblocking(true).map_err(cannot)?;
    Ok(listener)
}

/// Connects to `listener` and accepts that very connection.
fn connect_pair(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let near = TcpStream::connect_timeout(&listener.local_addr()?, IO_TIMEOUT)?;
    let far = accept(listener, near.local_addr()?)?;
    for socket in [&near, &far] {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(IO_TIMEOUT))?;
        socket.set_write_timeout(Some(IO_TIMEOUT))?;
    }
    Ok((near, far))
}

/// Accepts the connection that comes from `peer`, and drops those of strangers: a
/// port of the user's choice may be known to others. Gives up after a while.
fn accept(listener: &TcpListener, peer: SocketAddr) -> io::Result<TcpStream> {
    let deadline = Instant::now() + IO_TIMEOUT;
    loop {
        match listener.accept() {
            Ok((socket, from)) if from == peer => {
                socket.set_nonblocking(false)?;
                return Ok(socket);
            }
            Ok(_stranger) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if Instant::now() >= deadline {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
