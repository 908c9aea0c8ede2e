//! How streams come about: the operator opens them, the device accepts them and learns what each is for.

use std::task::{Context, Poll};

use alongside_protocol::{frame::Channel, proof};
use alongside_transport::Connection;

use super::{
    Role, Wire, WireError,
    lane::{self, Stream},
};

impl<C: Connection> Wire<C> {
    /// Gets the streams that are due, as far as that goes now.
    pub(super) fn poll_streams(&mut self, cx: &mut Context<'_>) -> Result<(), WireError> {
        match self.role {
            Role::Opens => self.poll_open(cx),
            Role::Accepts => self.poll_accept(cx)?,
        }
        Ok(())
    }

    /// Opens, one after the other, the streams that frames wait for.
    fn poll_open(&mut self, cx: &mut Context<'_>) {
        loop {
            if self.opening.is_none() {
                let Some(lane) = self.lanes.iter().find(|lane| lane.needs_stream()) else {
                    return;
                };
                let (channel, connection) = (lane.channel(), self.connection.clone());
                let open = async move { connection.open_bi(channel.priority()).await };
                self.opening = Some((channel, Box::pin(open)));
            }
            let Some((channel, opening)) = &mut self.opening else {
                return;
            };
            let channel = *channel;
            let Poll::Ready(opened) = opening.as_mut().poll(cx) else {
                return;
            };
            match opened {
                Ok((send, recv)) => {
                    self.opening = None;
                    let stream = self.stream(channel, send, recv);
                    self.lane(channel).begin(stream);
                }
                // The connection's own end says why; no stream comes after it.
                Err(_) => self.opening = Some((channel, Box::pin(std::future::pending()))),
            }
        }
    }

    /// Accepts streams and learns from their first byte what they are. The first is control, and only with a proof
    /// do others follow.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Result<(), WireError> {
        loop {
            if let Some((_, recv)) = &mut self.unnamed {
                let Poll::Ready(id) = lane::poll_byte(recv, cx) else {
                    return Ok(());
                };
                let Some((send, recv)) = self.unnamed.take() else {
                    return Ok(());
                };
                // A stream that ends before its first byte was none.
                if let Some(id) = id {
                    self.name(id, send, recv)?;
                }
            }
            let open = self.lanes.iter().filter(|lane| lane.is_open()).count();
            if open == self.lanes.len() || (open > 0 && !self.is_admitted) {
                return Ok(());
            }
            let accepting = self.accepting.get_or_insert_with(|| {
                let connection = self.connection.clone();
                Box::pin(async move { connection.accept_bi().await })
            });
            let Poll::Ready(accepted) = accepting.as_mut().poll(cx) else {
                return Ok(());
            };
            match accepted {
                Ok(pair) => (self.accepting, self.unnamed) = (None, Some(pair)),
                // The connection's own end says why; no stream comes after it.
                Err(_) => self.accepting = Some(Box::pin(std::future::pending())),
            }
        }
    }

    fn name(&mut self, id: u8, send: C::Send, recv: C::Recv) -> Result<(), WireError> {
        let free = Channel::from_id(id)
            .filter(|channel| self.is_admitted || *channel == Channel::Control)
            .filter(|channel| !self.lane(*channel).is_open());
        let channel = free.ok_or(WireError::Stream(id))?;
        self.connection.set_priority(&send, channel.priority());
        let stream = self.stream(channel, send, recv);
        self.lane(channel).accept(stream);
        Ok(())
    }

    fn stream(&self, channel: Channel, send: C::Send, recv: C::Recv) -> Stream<C> {
        let max_body = if self.is_admitted {
            channel.max_body()
        } else {
            proof::MAX_BODY
        };
        Stream::new(send, recv, max_body)
    }
}
