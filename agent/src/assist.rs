//! `alongside-agent assist`: the operator's side.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use alongside::{
    Compartment, ConnectError, Operator, OperatorConfig, OperatorEnd, OperatorEvent,
    operator::{OperatorError, OperatorEvents, Until},
    protocol::{
        PublicKey,
        reason::{EndReason, Party},
    },
};

use crate::{
    api::{self, Event, event},
    cli::AssistArgs,
    config::{AssistSettings, Surroundings},
    exit::{Exit, chain, fail},
    fan::Fan,
    mode::places::Places,
    pages, signal, stdio,
};

pub mod commands;
mod settings;

use commands::Desk;

/// Runs the operator's side as the command line asks.
pub async fn run(args: AssistArgs) -> Exit {
    let settings = match AssistSettings::resolve(&args, &Surroundings::of_process()) {
        Ok(settings) => settings,
        Err(error) => return fail(Exit::Usage, &chain(&error)),
    };
    let opened = Compartment::open(&settings.shared.state)
        .and_then(|compartment| Ok((compartment.claim()?, compartment.identity()?, compartment)));
    let (_claim, identity, compartment) = match opened {
        Ok(opened) => opened,
        Err(error) => return fail(Exit::Failed, &chain(&error)),
    };
    let key = identity.public_key();
    let audit = compartment.audit(Arc::clone(&identity));
    let (operator, handle, events) = Operator::new(OperatorConfig {
        relay: settings.shared.relay,
        identity,
        name: settings.name,
    });
    let modes = match Places::resolve(&args.shared.modes, &Surroundings::of_process()) {
        Ok(places) => places.modes(),
        Err(error) => return fail(Exit::Usage, &chain(&error)),
    };
    let operator = operator.with_audit(Arc::new(audit)).with_modes(modes);
    let operator = match settings.listen {
        Some(at) => operator.listening_on(at),
        None => operator,
    };
    let fan = Fan::default();
    let desk = Desk::new(handle, fan.clone());
    let wants_page = args.console || !args.stdio;
    let page = if wants_page {
        match pages::operator::start(desk.clone(), fan.clone()).await {
            Ok(page) => Some(page),
            Err(error) => return fail(Exit::Failed, &chain(&error)),
        }
    } else {
        None
    };
    // A program starts another operator for the next customer; a person has the page open.
    let until = if args.stdio {
        Until::FirstSession
    } else {
        Until::Stopped
    };
    let spoken = args.stdio.then(|| fan.subscribe());
    let url = page.as_ref().map(|page| page.url().to_owned());
    let side = async {
        let exit = drive(
            operator,
            events,
            &fan,
            until,
            Some(Who {
                key,
                url,
                in_lines: args.stdio,
                first_code: (settings.listen.is_some() && !args.stdio).then(|| desk.clone()),
            }),
        )
        .await;
        fan.close();
        exit
    };
    let talk = async {
        let Some(spoken) = spoken else { return Ok(()) };
        let at_eof = async {
            let _ = desk.handle().end().await;
        };
        stdio::serve(
            &desk,
            tokio::io::stdin(),
            tokio::io::stdout(),
            stdio::unread(io::stdout()),
            spoken,
            at_eof,
        )
        .await
    };
    let stop = async {
        signal::terminated().await;
        // The first ends a session, the second the operator.
        let _ = desk.handle().end().await;
        let _ = desk.handle().end().await;
        // Whoever asks again does not want to wait for a farewell.
        signal::terminated().await;
    };
    let reopened = async {
        match &page {
            Some(page) if args.stdio => page.told_anew(|url| fan.send(at_page(url))).await,
            Some(page) => page.told_anew(announce_anew).await,
            None => std::future::pending().await,
        }
    };
    let (exit, talked) = tokio::select! {
        done = async { tokio::join!(side, talk) } => done,
        () = stop => return Exit::Failed,
        never = reopened => match never {},
    };
    if let Some(page) = page {
        page.finish().await;
    }
    match talked {
        Ok(()) => exit,
        Err(error) => fail(
            Exit::Failed,
            &format!("standard output cannot be written: {error}"),
        ),
    }
}

/// Who this operator is, for a relay that does not know them, and where the console is, for a person.
#[derive(Clone, Debug)]
pub struct Who {
    /// The operator's key.
    pub key: PublicKey,
    /// The console's address.
    pub url: Option<String>,
    /// Whether standard output is for programs, which are told the address as an event.
    pub in_lines: bool,
    /// Where a first code comes from that is printed beside the address that this side listens on.
    pub first_code: Option<Desk>,
}

/// Runs the operator and tells what happens. Each session's last event is `ended`, and where there was none, so is this
/// side's own end.
pub async fn drive(
    operator: Operator,
    mut events: OperatorEvents,
    fan: &Fan<Event>,
    until: Until,
    who: Option<Who>,
) -> Exit {
    let tell = async {
        let mut ended = false;
        let mut listens = None;
        let mut was_gone = false;
        while let Some(event) = events.recv().await {
            if let OperatorEvent::Listening(at) = event {
                listens = Some(at);
                continue;
            }
            if matches!(event, OperatorEvent::Ready) {
                fan.send(Event::Ready(event::Ready {
                    role: event::Role::Operator,
                    serial: None,
                    panel: None,
                    listens,
                }));
                if std::mem::take(&mut was_gone) {
                    tracing::warn!("the relay is back");
                    continue;
                }
                match &who {
                    Some(Who {
                        url: Some(url),
                        in_lines: true,
                        ..
                    }) => fan.send(at_page(url)),
                    Some(Who {
                        url: Some(url),
                        in_lines: false,
                        ..
                    }) => announce(url),
                    Some(Who { url: None, .. }) | None => {}
                }
                let desk = who.as_ref().and_then(|who| who.first_code.clone());
                if let (Some(desk), Some(at)) = (desk, listens) {
                    print_code(&desk, at).await;
                }
                continue;
            }
            if let OperatorEvent::Settings(told) = event {
                settings::told(told)
                    .into_iter()
                    .for_each(|event| fan.send(event));
                continue;
            }
            if let OperatorEvent::RelayGone(lost) = &event {
                tracing::warn!(error = %chain(lost), "the relay is gone and is looked for");
                was_gone = true;
            }
            if let Some(event) = commands::told(event) {
                ended |= matches!(event, Event::Ended { .. });
                fan.send(event);
            }
        }
        ended
    };
    let (end, ended) = tokio::join!(operator.run(until), tell);
    let (exit, by, reason) = match end {
        Ok(OperatorEnd::Session { by, reason }) => (Exit::Done, by, reason),
        Ok(OperatorEnd::CodeBurnt) => {
            let exit = fail(
                Exit::WrongCode,
                "the code was typed wrong three times and is dead",
            );
            (exit, Party::Policy, EndReason::CodeNotProved)
        }
        Ok(OperatorEnd::Unknown) => {
            let exit = match who {
                Some(Who { key, .. }) => {
                    fail(Exit::Refused, &OperatorError::Unknown { key }.to_string())
                }
                None => Exit::Refused,
            };
            (exit, Party::Relay, EndReason::RelayClosed)
        }
        Ok(OperatorEnd::RelayLost(lost)) => {
            tracing::error!(error = %chain(&lost), "the relay is gone");
            (Exit::NoPath, Party::Relay, EndReason::RelayClosed)
        }
        Ok(_) => (Exit::Done, Party::Operator, EndReason::OperatorEnded),
        Err(error) => {
            let failure = refused(&error, who.map(|who| who.key));
            let exit = if is_refused(&error) {
                Exit::Refused
            } else {
                Exit::NoPath
            };
            fail(exit, &failure.message);
            fan.send(failure.into());
            (exit, Party::Relay, EndReason::RelayClosed)
        }
    };
    if !ended {
        fan.send(Event::Ended { by, reason });
    }
    exit
}

/// Why there is no way to the relay, with what to do about it.
fn refused(error: &ConnectError, key: Option<PublicKey>) -> api::Failure {
    let mut message = chain(error);
    if let Some(key) = key.filter(|_| is_refused(error)) {
        // The deployer needs the key to let this operator in.
        message.push_str(&format!("; this operator's key is {key}"));
    }
    api::Failure::no_way(&error.obstacle(), message)
}

const fn is_refused(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Refused { .. })
}

/// Prints where this side listens, and a first code for whoever comes.
async fn print_code(desk: &Desk, at: SocketAddr) {
    let words = match desk.issue(Duration::from_secs(600), None).await {
        Ok(code) => {
            let groups: Vec<&str> = (0..code.code.len())
                .step_by(4)
                .filter_map(|at| code.code.get(at..at + 4))
                .collect();
            format!(
                "Code: {}, for {} minutes",
                groups.join(" "),
                code.expires_in_s / 60
            )
        }
        Err(failure) => failure.message,
    };
    // Nobody who reads it is no reason to stop.
    let _ = writeln!(
        io::stdout(),
        "Listening on {at} (UDP); the device is started with --operator and this address.\n{words}"
    );
}

/// Prints where the page is.
fn announce(url: &str) {
    // Nobody who reads it is no reason to stop.
    let _ = writeln!(io::stdout(), "Open the console: {url}");
}

/// Prints where it is now that nobody has it open.
fn announce_anew(url: &str) {
    let _ = writeln!(
        io::stdout(),
        "No window shows the console. Open it again: {url}"
    );
}

/// Where the page is, for programs.
fn at_page(url: &str) -> Event {
    Event::Pages {
        operator: Some(url.to_owned()),
        device: None,
    }
}
