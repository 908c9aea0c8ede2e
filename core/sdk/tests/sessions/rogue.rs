//! Sides that know the code and then do as they please.

use std::time::Duration;

use alongside::{
    protocol::{
        PanelSize, PublicKey, Serial,
        frame::{Channel, Frame, FrameReader},
        label::Label,
    },
    transport::{
        Connection,
        memory::{MemoryConnection, PipeReader, PipeWriter},
    },
};
use alongside_session::{Binding, Delivery, Limits, Outbound, device, operator};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

use crate::own_transport;

/// One end of a session whose code is proved, with nobody to say what comes next.
pub struct Rogue {
    pub connection: MemoryConnection,
    pub streams: Vec<(Channel, PipeWriter)>,
    /// What the honest side says, which nobody reads.
    unread: Vec<PipeReader>,
}

fn binding(connection: &MemoryConnection) -> Binding {
    let binding = connection.binding();
    Binding {
        exporter: binding.exporter,
        local: binding.local,
        peer: binding.peer,
    }
}

/// Frames of the control channel, one at a time.
struct Control {
    send: PipeWriter,
    recv: PipeReader,
    reader: FrameReader,
}

impl Control {
    fn new((send, recv): (PipeWriter, PipeReader)) -> Self {
        let reader = FrameReader::for_channel(Channel::Control);
        Self { send, recv, reader }
    }

    async fn next(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.reader.next_frame().unwrap() {
                return frame;
            }
            let mut chunk = [0; 4096];
            let n = self.recv.read(&mut chunk).await.unwrap();
            assert!(n > 0, "the honest side ended the stream");
            self.reader.push(&chunk[..n]);
        }
    }

    async fn send(&mut self, outbound: Outbound) {
        if outbound.channel == Channel::Control && outbound.delivery == Delivery::Reliable {
            self.send.write_all(&outbound.bytes).await.unwrap();
        }
    }
}

impl Rogue {
    /// A device that proves the code with this secret to the operator at the other end, and then says no more.
    pub async fn device(connection: MemoryConnection, secret: u8) -> Self {
        let (mut send, mut recv) = connection.accept_bi().await.unwrap();
        let mut id = [0];
        recv.read_exact(&mut id).await.unwrap();
        let config = device::Config {
            serial: Serial::new("ROGUE-1").unwrap(),
            model: Label::new("Rogue").unwrap(),
            panel: Label::new("test").unwrap(),
            size: PanelSize::new(320, 240).unwrap(),
            operator: own_transport::identity(own_transport::OPERATOR),
            locale: "en".to_owned(),
            limits: Limits::default(),
            modes: Vec::new(),
            has_admin_id: false,
        };
        let now = || Instant::now().into_std();
        let mut session = device::Session::new(now(), config, own_transport::code(secret));
        let connected = device::Input::Connected {
            binding: binding(&connection),
            entropy: [9; 32],
        };
        session.handle_input(now(), connected).unwrap();
        send.flush().await.unwrap();
        let mut control = Control::new((send, recv));
        'proof: loop {
            loop {
                match session.poll_output() {
                    device::Output::Send(outbound) => {
                        // The hello is the last thing that an honest device has said.
                        control.send(outbound).await;
                        if session.is_proved() {
                            break 'proof;
                        }
                    }
                    device::Output::Wait(_) => break,
                    _ => {}
                }
            }
            let (channel, frame) = (Channel::Control, control.next().await);
            let _ = session.handle_input(now(), device::Input::Message { channel, frame });
        }
        let mut streams = vec![(Channel::Control, control.send)];
        let mut unread = vec![control.recv];
        for _ in 0..2 {
            let (send, mut recv) = connection.accept_bi().await.unwrap();
            recv.read_exact(&mut id).await.unwrap();
            streams.push((Channel::from_id(id[0]).unwrap(), send));
            unread.push(recv);
        }
        Self {
            connection,
            streams,
            unread,
        }
    }

    /// An operator that proves the code with this secret to the device at the other end, and opens every stream.
    pub async fn operator(connection: MemoryConnection, secret: u8) -> Self {
        let (mut send, recv) = connection.open_bi(0).await.unwrap();
        send.write_all(&[Channel::Control.id()]).await.unwrap();
        let config = operator::Config {
            name: None,
            locale: "en".to_owned(),
            modes: Vec::new(),
        };
        let now = || Instant::now().into_std();
        let mut session = operator::Session::new(now(), config, own_transport::issued(secret));
        let connected = operator::Input::Connected {
            binding: binding(&connection),
            entropy: [9; 32],
        };
        session.handle_input(now(), connected).unwrap();
        let mut control = Control::new((send, recv));
        'proof: loop {
            loop {
                match session.poll_output() {
                    operator::Output::Send(outbound) => control.send(outbound).await,
                    operator::Output::Event(operator::Event::Connected(_)) => break 'proof,
                    operator::Output::Wait(_) => break,
                    _ => {}
                }
            }
            let (channel, frame) = (Channel::Control, control.next().await);
            session
                .handle_input(now(), operator::Input::Message { channel, frame })
                .unwrap();
        }
        let mut streams = vec![(Channel::Control, control.send)];
        let mut unread = vec![control.recv];
        for channel in [Channel::Mode, Channel::Panel, Channel::Bulk] {
            let (mut send, recv) = connection.open_bi(0).await.unwrap();
            send.write_all(&[channel.id()]).await.unwrap();
            streams.push((channel, send));
            unread.push(recv);
        }
        Self {
            connection,
            streams,
            unread,
        }
    }

    /// Reads whatever the honest side says from now on, and does nothing with it.
    pub fn listening(mut self) -> Self {
        for mut recv in self.unread.drain(..) {
            tokio::spawn(async move {
                let mut chunk = vec![0; 16 * 1024];
                while recv.read(&mut chunk).await.is_ok_and(|n| n > 0) {}
            });
        }
        self
    }

    /// Says something on a channel, if the honest side still takes it.
    pub async fn say(&mut self, channel: Channel, bytes: &[u8]) {
        let stream = self.streams.iter_mut().find(|(of, _)| *of == channel);
        let (_, send) = stream.unwrap();
        let say = send.write_all(bytes);
        let _ = tokio::time::timeout(Duration::from_secs(5), say).await;
    }
}

/// Both ends of a connection whose keys are the ones announced.
pub fn pair() -> (MemoryConnection, MemoryConnection) {
    alongside::transport::memory::pair(own_transport::OPERATOR, own_transport::DEVICE)
}

/// Keys of somebody in the middle.
pub const MALLORY: PublicKey = PublicKey([0x66; 32]);
