//! The program of the README: a message over a real socket, in pooled memory.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use bytesbuf::BytesBuf;
use bytesbuf::mem::GlobalPool;

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;

    let memory = GlobalPool::new();
    let mut buf = memory.reserve(64);
    buf.put_u16_be(5);
    buf.put_slice(*b"hello");
    let mut message = buf.consume_all();
    while !message.is_empty() {
        let sent = client.write_vectored(&message.io_slices().collect::<Vec<_>>())?;
        message.advance(sent);
    }
    drop(client);

    let mut writer = BytesBuf::new().into_writer(memory.clone());
    std::io::copy(&mut server, &mut writer)?;
    let mut received = writer.into_inner().consume_all();
    println!("{} bytes: {}", received.get_u16_be(), received.escaped());
    println!("{}", memory.stats());
    Ok(())
}
