//! The WebSocket of a page: commands in, events and pixels out.

use std::{collections::VecDeque, pin::Pin, sync::Arc};

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{
        HeaderMap, StatusCode,
        header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL},
    },
    response::{IntoResponse, Response},
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{FuturesOrdered, SplitSink},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant},
};

use super::{page::Counter, pixels::Mirror, retained::Stamped};
use crate::{
    api::{self, Commands, Event, Request, event::Role},
    stdio::Executor,
};

/// The protocol that both ends speak.
const PROTOCOL: &str = "alongside.1";
/// Largest message that is read; what is too long for a command is still answered.
const MAX_MESSAGE: usize = 1 << 20;
/// Answers that may be open at once; the next command is read when one of them is given.
const OPEN_ANSWERS: usize = 256;
/// Sockets that one page may have: reloads overlap, and a person may open a second window.
const MAX_SOCKETS: usize = 8;

/// What a socket connects.
#[derive(Debug)]
pub(super) struct Ends<E> {
    pub(super) desk: Arc<Counter>,
    pub(super) executor: Arc<E>,
}

impl<E> Clone for Ends<E> {
    fn clone(&self) -> Self {
        Self {
            desk: Arc::clone(&self.desk),
            executor: Arc::clone(&self.executor),
        }
    }
}

/// Opens a socket for a page that shows a ticket, or what it was traded for, before anything is upgraded.
///
/// It offers `alongside.1` and `ticket.…` or `session.…` as protocols: never in an address, never in a cookie.
pub(super) async fn upgrade<C, E>(
    State(ends): State<Ends<E>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response
where
    C: Commands + Send + 'static,
    E: Executor<C> + 'static,
{
    // The guard has checked it where it is there; a browser always sends it here.
    if !headers.contains_key(ORIGIN) {
        return (StatusCode::FORBIDDEN, "not for you\n").into_response();
    }
    let offers = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let offers: Vec<_> = offers
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let tickets = &ends.desk.tickets;
    let may_speak = offers.iter().any(|offer| match offer.split_once('.') {
        Some(("ticket", ticket)) => tickets.redeem(Instant::now(), ticket),
        Some(("session", secret)) => tickets.is_session(secret),
        _ => false,
    });
    if !may_speak || !offers.contains(&PROTOCOL) {
        return (
            StatusCode::UNAUTHORIZED,
            "this address was used before, or is too old\n",
        )
            .into_response();
    }
    let Some(seat) = Seat::take(&ends.desk) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many windows\n").into_response();
    };
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_MESSAGE)
        .on_upgrade(async move |socket| {
            talk::<C, E>(&ends, socket).await;
            drop(seat);
        })
}

/// One of a page's sockets, counted.
struct Seat(Arc<Counter>);

impl Seat {
    fn take(desk: &Arc<Counter>) -> Option<Self> {
        let taken = desk.open.send_if_modified(|open| {
            let free = *open < MAX_SOCKETS;
            *open += usize::from(free);
            free
        });
        taken.then(|| Self(Arc::clone(desk)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

/// First message to a page.
#[derive(Serialize)]
struct Welcome<'a> {
    page: Introduction<'a>,
}

#[derive(Serialize)]
struct Introduction<'a> {
    /// What the ticket was traded for.
    session: &'a str,
    role: Role,
}

/// A page has painted a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Painted {
    painted: u32,
}

/// A batch that the page has not painted yet.
struct UnderWay {
    number: u32,
    sent: Instant,
}

type Sink = SplitSink<WebSocket, Message>;
/// The page is gone.
struct Gone;

async fn talk<C, E>(ends: &Ends<E>, socket: WebSocket)
where
    C: Commands + Send + 'static,
    E: Executor<C> + 'static,
{
    let (mut sink, mut stream) = socket.split();
    let desk = &ends.desk;
    let mut changed = desk.changed.subscribe();
    changed.mark_changed();
    let (past, mut events) = desk.listen();
    if welcome(&mut sink, desk, past).await.is_err() {
        return;
    }
    let mut answers: FuturesOrdered<Pin<Box<dyn Future<Output = Event> + Send + '_>>> =
        FuturesOrdered::new();
    let mut mirror = Mirror::default();
    let mut under_way: Option<UnderWay> = None;
    loop {
        let sent = tokio::select! {
            biased;
            Some(answer) = answers.next(), if !answers.is_empty() => say(&mut sink, &answer, alongside::unix_ms()).await,
            event = next(&mut events) => match event {
                Some((t, event)) => say(&mut sink, &event, t).await,
                // Everything is told, or this page is too far behind to go on.
                None => break,
            },
            message = stream.next(), if answers.len() < OPEN_ANSWERS => match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str::<Painted>(&text) {
                    Ok(Painted { painted }) => {
                        if let Some(batch) = under_way.take_if(|batch| batch.number == painted) {
                            tracing::trace!(took = ?batch.sent.elapsed(), "a page painted");
                            changed.mark_changed();
                        }
                        Ok(())
                    }
                    Err(_) => {
                        answers.push_back(answer(&*ends.executor, text.as_bytes()));
                        Ok(())
                    }
                },
                Some(Ok(Message::Binary(_))) => {
                    let failure = api::Failure::bad_request("a command is text");
                    answers.push_back(Box::pin(std::future::ready(Event::reply(None, Err(failure)))));
                    Ok(())
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            // The sender lives in the desk.
            _ = changed.changed(), if under_way.is_none() => {
                let mut batch = None;
                desk.pictures.with(&mut |frame, clear| batch = mirror.step(frame, clear));
                match batch {
                    Some(batch) => {
                        under_way = Some(UnderWay { number: batch.number, sent: Instant::now() });
                        sink.send(Message::Binary(batch.bytes.into())).await.map_err(|_| Gone)
                    }
                    None => Ok(()),
                }
            }
        };
        if sent.is_err() {
            return;
        }
    }
    while let Some(answer) = answers.next().await {
        if say(&mut sink, &answer, alongside::unix_ms()).await.is_err() {
            return;
        }
    }
    goodbye(sink, stream).await;
}

async fn goodbye(
    mut sink: Sink,
    mut stream: impl StreamExt<Item = Result<Message, axum::Error>> + Unpin,
) {
    if sink.send(Message::Close(None)).await.is_ok() {
        // The page's own close tells that it has read everything.
        let closed = async { while let Some(Ok(_)) = stream.next().await {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), closed).await;
    }
}

async fn next(events: &mut Option<mpsc::Receiver<Stamped>>) -> Option<Stamped> {
    events.as_mut()?.recv().await
}

async fn welcome(sink: &mut Sink, desk: &Counter, past: Vec<Stamped>) -> Result<(), Gone> {
    let mut lines = VecDeque::new();
    let page = Introduction {
        session: desk.tickets.session(),
        role: desk.role,
    };
    lines.extend(serde_json::to_string(&Welcome { page }));
    lines.extend(past.into_iter().map(|(t, event)| event.line(t)));
    for line in lines {
        sink.send(Message::Text(line.into()))
            .await
            .map_err(|_| Gone)?;
    }
    Ok(())
}

fn answer<'a, C: Commands + 'a, E: Executor<C>>(
    executor: &'a E,
    line: &[u8],
) -> Pin<Box<dyn Future<Output = Event> + Send + 'a>> {
    match api::parse::<C>(line) {
        Ok(Request { id, command }) => {
            let reply = executor.execute(command);
            Box::pin(async move { Event::reply(id, reply.await) })
        }
        Err(rejected) => Box::pin(std::future::ready(Event::reply(
            rejected.id,
            Err(rejected.failure),
        ))),
    }
}

async fn say(sink: &mut Sink, event: &Event, t: u64) -> Result<(), Gone> {
    sink.send(Message::Text(event.line(t).into()))
        .await
        .map_err(|_| Gone)
}
