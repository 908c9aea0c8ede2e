//! One page and its server.

use std::{
    convert::Infallible,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use alongside::{Frame, protocol::units::PanelRect};
use axum::{Router, extract::Path, middleware, routing::get};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{
    assets::{self, Asset},
    guard,
    panels::Panels,
    retained::{Retained, Stamped},
    socket,
    tickets::{NoRandom, Tickets},
};
use crate::{
    api::{Commands, Event, event::Role},
    fan::Fan,
    stdio::Executor,
};

/// Life of the ticket in an address that a person is told: they have to find a browser.
const TOLD_TICKET: Duration = Duration::from_secs(600);
/// Life of a ticket that is made at the moment it is opened.
const TICKET: Duration = Duration::from_secs(60);
/// Time in which a page that was reloaded comes back.
const RELOAD: Duration = Duration::from_secs(5);
/// Events that may wait for one page; a page that falls further behind is cut off and comes back.
const EVENTS: usize = 1_024;
/// Time that pages get for the last event before the server goes.
const GOODBYE: Duration = Duration::from_secs(2);

/// Where a page's pictures come from.
pub trait Pictures: Send + Sync + fmt::Debug {
    /// Lets `look` see the newest picture, and where on it no annotation is drawn; it is not called before there is one.
    /// Keep it short.
    fn with(&self, look: &mut dyn FnMut(&Frame, &[PanelRect]));
}

/// A page that is being served; dropping it ends that.
#[derive(Debug)]
pub struct Page {
    url: String,
    address: SocketAddr,
    desk: Arc<Counter>,
    tasks: Vec<JoinHandle<()>>,
}

/// What server, sockets and owner of a page share, whatever commands it takes.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) tickets: Tickets,
    pub(super) role: Role,
    pub(super) pictures: Arc<dyn Pictures>,
    /// Moves whenever the picture may have.
    pub(super) changed: watch::Sender<u64>,
    /// How many sockets are open.
    pub(super) open: watch::Sender<usize>,
    told: Mutex<Told>,
    pub(super) panels: Panels,
}

#[derive(Debug, Default)]
struct Told {
    retained: Retained,
    listeners: Vec<mpsc::Sender<Stamped>>,
    is_over: bool,
}

impl Counter {
    /// What still holds, and everything that comes after it; `None` in the place of the latter once all is told.
    pub(super) fn listen(&self) -> (Vec<Stamped>, Option<mpsc::Receiver<Stamped>>) {
        let mut told = self.told();
        let past = told.retained.replay(alongside::unix_ms());
        if told.is_over {
            return (past, None);
        }
        let (sender, receiver) = mpsc::channel(EVENTS);
        told.listeners.push(sender);
        (past, Some(receiver))
    }

    fn tell(&self, event: &Event) {
        let t = alongside::unix_ms();
        if matches!(event, Event::Panel(_)) {
            self.changed.send_modify(|n| *n += 1);
        }
        if let Event::Modes { modes } = event {
            self.panels.replace(modes);
        }
        let mut told = self.told();
        told.retained.fold(t, event);
        told.listeners
            .retain(|listener| listener.try_send((t, event.clone())).is_ok());
    }

    fn all_is_told(&self) {
        let mut told = self.told();
        told.is_over = true;
        told.listeners.clear();
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    /// Serves the page of `role`: its commands go to `executor`, it is told `events`, it shows `pictures`.
    ///
    /// A panel event means that the picture may have changed; so does [`Page::changed`].
    ///
    /// # Errors
    ///
    /// [`PageError`] when no port of 127.0.0.1 can be had, or no random bytes.
    pub async fn start<C, E>(
        role: Role,
        executor: Arc<E>,
        events: &Fan<Event>,
        pictures: Arc<dyn Pictures>,
    ) -> Result<Self, PageError>
    where
        C: Commands + Send + 'static,
        E: Executor<C> + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(PageError::Listen)?;
        let address = listener.local_addr().map_err(PageError::Listen)?;
        let desk = Arc::new(Counter {
            tickets: Tickets::new()?,
            role,
            pictures,
            changed: watch::Sender::new(0),
            open: watch::Sender::new(0),
            told: Mutex::default(),
            panels: Panels::default(),
        });
        let mut router = Router::new().route("/ws", get(socket::upgrade::<C, E>));
        for asset in assets::of(role) {
            let Asset { path, .. } = *asset;
            router = router.route(path, get(move || async move { asset.response() }));
        }
        let served = Arc::clone(&desk);
        router = router.route(
            "/mode/{id}",
            get(move |Path(id): Path<String>| async move { served.panels.response(&id) }),
        );
        let router = router
            .with_state(socket::Ends {
                desk: Arc::clone(&desk),
                executor,
            })
            .layer(middleware::from_fn_with_state(address, guard::guard));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "a page is no longer served");
            }
        });
        let events = events.subscribe();
        let teller = tokio::spawn({
            let desk = Arc::clone(&desk);
            async move {
                while let Some(event) = events.recv().await {
                    desk.tell(&event);
                }
                desk.all_is_told();
            }
        });
        let url = format!(
            "http://{address}/#{}",
            desk.tickets.issue(Instant::now(), TOLD_TICKET)?
        );
        Ok(Self {
            url,
            address,
            desk,
            tasks: vec![server, teller],
        })
    }

    /// The address to open first. Works once, within 10 minutes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Another address for the same page. Works once, within a minute.
    ///
    /// # Errors
    ///
    /// The system has no random bytes.
    pub fn fresh_url(&self) -> Result<String, PageError> {
        Ok(format!(
            "http://{}/#{}",
            self.address,
            self.desk.tickets.issue(Instant::now(), TICKET)?
        ))
    }

    /// Tells a new address each time there is none that works any more: the last window was closed, or nobody came
    /// while the last address was good. Never ends.
    pub async fn told_anew(&self, mut tell: impl FnMut(&str)) -> Infallible {
        let mut open = self.desk.open.subscribe();
        loop {
            let now = Instant::now();
            let at = match (*open.borrow_and_update(), self.desk.tickets.last_until(now)) {
                (0, Some(until)) => Some(until),
                (0, None) => Some(now + RELOAD),
                _ => None,
            };
            let due = async {
                match at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The sender lives in `self`.
                _ = open.changed() => continue,
                () = due => {}
            }
            let now = Instant::now();
            if self.desk.tickets.last_until(now).is_some() {
                continue;
            }
            match self.desk.tickets.issue(now, TOLD_TICKET) {
                Ok(ticket) => tell(&format!("http://{}/#{ticket}", self.address)),
                Err(error) => {
                    tracing::warn!(%error, "a page can only be opened by whoever had it open")
                }
            }
        }
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The picture may have changed.
    pub fn changed(&self) {
        self.desk.changed.send_modify(|n| *n += 1);
    }

    /// Ends `task` with the page.
    pub fn keep(&mut self, task: JoinHandle<()>) {
        self.tasks.push(task);
    }

    /// A handle that says so, for a task of its own.
    pub fn changes(&self) -> Changes {
        Changes(Arc::clone(&self.desk))
    }

    /// Waits, 2 s at most, until open pages have heard everything, then stops serving.
    ///
    /// The events must have been closed, or it waits in vain.
    pub async fn finish(self) {
        let mut open = self.desk.open.subscribe();
        let quiet = async {
            // The sender lives in `self`.
            let _ = open.wait_for(|open| *open == 0).await;
        };
        if tokio::time::timeout(GOODBYE, quiet).await.is_err() {
            tracing::debug!("a page did not say goodbye");
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Tells a page that its picture may have changed.
#[derive(Clone, Debug)]
pub struct Changes(Arc<Counter>);

impl Changes {
    /// It may have.
    pub fn notify(&self) {
        self.0.changed.send_modify(|n| *n += 1);
    }
}

/// Why a page cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// No port of 127.0.0.1 can be had.
    #[error("cannot listen on 127.0.0.1 for a page")]
    Listen(#[source] io::Error),
    /// No random bytes for a ticket.
    #[error("cannot make a ticket for a page")]
    Random(#[from] NoRandom),
}
