//! The operator's side without a person: asks for a code, waits for the customer, keeps a picture of the panel, draws a
//! circle on it and leaves. What a ticket system would do.
//!
//! ```sh
//! cargo run -p embed-operator -- relay.example.com ./state picture.ppm
//! ```
//!
//! A private certificate authority goes behind that, as a PEM file. The relay has to know this operator's key, which is
//! printed first.
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whoever hears events ignores what they do not know"
)]
#![expect(clippy::print_stdout, reason = "a ticket system reads what is printed")]

use std::{env, error::Error, f64::consts::TAU, fs, path::Path, time::Duration};

use alongside::{
    Compartment, Frame, Operator, OperatorConfig, OperatorEvent, Relay,
    operator::Until,
    protocol::{
        PanelPoint,
        annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
        units::{Color, Pressure},
    },
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [host, state, picture, ca @ ..] = &args[..] else {
        return Err("usage: embed-operator RELAY STATE PICTURE [CA]".into());
    };
    let mut relay = Relay::new(host)?;
    if let [ca] = ca {
        relay = relay.with_ca(fs::read(ca)?);
    }
    if let Ok(port) = env::var("ALONGSIDE_DANGER_RELAY_PORT") {
        relay = relay.danger_with_port(port.parse()?); // for the example's own test
    }
    let identity = Compartment::open(Path::new(state))?.identity()?;
    println!("operator: {}", identity.public_key());
    let name = Some("Ticket desk".parse()?);
    let (operator, handle, mut events) = Operator::new(OperatorConfig {
        relay,
        identity,
        name,
    });
    let help = async {
        while let Some(event) = events.recv().await {
            match event {
                OperatorEvent::Ready => {
                    let code = handle.code(Duration::from_secs(600), None).await?;
                    println!("code: {}", *code.digits);
                }
                // The first picture that is the device's to the pixel.
                OperatorEvent::Panel(update) if update.exact => {
                    let shown = handle.screen().with(|shown| shown.cloned());
                    let Some(shown) = shown else { continue };
                    fs::write(picture, ppm(&shown.frame))?;
                    handle.draw(circle(&shown.frame)?).await?;
                    println!("drawn");
                    // Time for the customer to look; a person would say goodbye.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    handle.end().await?;
                }
                OperatorEvent::Ended { by, reason } => {
                    println!("end: {by:?} {reason:?}");
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let (ran, helped) = tokio::join!(operator.run(Until::FirstSession), help);
    ran?;
    helped
}

/// A circle in the middle of the panel.
fn circle(frame: &Frame) -> Result<Annotation, &'static str> {
    let (width, height) = (
        f64::from(frame.size().width()),
        f64::from(frame.size().height()),
    );
    let radius = width.min(height) / 4.0;
    let points = (0..=32).map(|n| {
        let (down, across) = (TAU * f64::from(n) / 32.0).sin_cos();
        StrokePoint {
            at: PanelPoint::from_pixels(
                (width / 2.0 + radius * across) as u16,
                (height / 2.0 + radius * down) as u16,
            ),
            pressure: Pressure::FULL,
        }
    });
    Ok(Annotation::Stroke(Stroke {
        id: StrokeId(1),
        color: Color::rgb(220, 40, 30),
        width: StrokeWidth::new(4).ok_or("no such width")?,
        points: points.collect(),
        done: true,
    }))
}

/// The picture in the simplest format that image programs read.
fn ppm(frame: &Frame) -> Vec<u8> {
    let head = format!(
        "P6\n{} {}\n255\n",
        frame.size().width(),
        frame.size().height()
    );
    [head.into_bytes(), frame.to_rgb8()].concat()
}
