//! The recordings, one by one, through all of them.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use alongside_panel::{Decoder, Encoder, Frame, Profile, tiles::TileGrid};
use alongside_protocol::{
    frame::HEADER_LEN,
    units::{Millis, PanelRect},
};

use crate::{
    rfb::{Client, Encoding},
    server::Server,
    trace::Trace,
    video::{self, Codec},
};

/// Names of TigerVNC's server.
const SERVERS: [&str; 2] = ["Xtigervnc", "Xvnc"];

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/traces");
    let folder = env::var_os("ALONGSIDE_TRACES").map_or(here, PathBuf::from);
    let chosen: Vec<String> = env::args()
        .skip(1)
        .filter(|it| !it.starts_with('-'))
        .collect();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    let name = |path: &Path| -> Option<String> {
        let name = path.file_name()?.to_str()?.strip_suffix(".ptr.zst")?;
        let is_chosen = chosen.is_empty() || chosen.iter().any(|it| it == name);
        is_chosen.then(|| name.to_owned())
    };
    paths.retain(|path| name(path).is_some());
    paths.sort();
    let server = SERVERS
        .into_iter()
        .find(|program| is_there(program, "-version"))
        .ok_or("no Xtigervnc; Debian: tigervnc-standalone-server")?;
    if !is_there("ffmpeg", "-version") {
        return Err("no ffmpeg; Debian: ffmpeg".into());
    }
    let codecs = Codec::ALL.map(|codec| format!("{:>24}", codec.name()));
    println!(
        "{:<10} {:>8} {:>8} {:>16} {:>16} {}",
        "kB",
        "pictures",
        "ours",
        "Tight, level 9",
        "ZRLE",
        codecs.join(" ")
    );
    let mut ratios = Vec::new();
    for path in &paths {
        let name = name(path).unwrap_or_default();
        let (pictures, ours) = ours(path)?;
        let times = |bytes: u64| bytes as f64 / ours as f64;
        let kb = |bytes: u64| format!("{:.1} ({:.2})", bytes as f64 / 1e3, times(bytes));
        let tight = vnc(path, server, Encoding::Tight).map_err(|error| in_trace(&name, &*error))?;
        let zrle = vnc(path, server, Encoding::Zrle).map_err(|error| in_trace(&name, &*error))?;
        let mut row = format!(
            "{name:<10} {pictures:>8} {:>8.1} {:>16} {:>16}",
            ours as f64 / 1e3,
            kb(tight),
            kb(zrle)
        );
        for codec in Codec::ALL {
            let (bytes, likeness) = video::encode(path, codec)?;
            row += &format!(" {:>24}", format!("{} {likeness:.1} dB", kb(bytes)));
        }
        println!("{row}");
        if name != "photo" {
            ratios.push(times(tight));
        }
    }
    ratios.sort_by(f64::total_cmp);
    let mean = |ratios: &[f64]| {
        let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
        (logs / ratios.len().max(1) as f64).exp()
    };
    if let [worst, .., _] = ratios.as_slice() {
        println!(
            "Tight, level 9, without photo: geometric mean {:.2}, without the best {:.2}, worst {worst:.2}",
            mean(&ratios),
            mean(&ratios[..ratios.len() - 1])
        );
    }
    Ok(())
}

/// The smallest rectangle within `rect` that holds every pixel in which the pictures differ.
fn differing(a: &Frame, b: &Frame, rect: PanelRect) -> Option<PanelRect> {
    let width = usize::from(a.size().width());
    let differs = |x: u16, y: u16| {
        let at = usize::from(y) * width + usize::from(x);
        a.pixels().get(at) != b.pixels().get(at)
    };
    let (xs, ys) = (rect.x..rect.x + rect.width, rect.y..rect.y + rect.height);
    let column = |x: &u16| ys.clone().any(|y| differs(*x, y));
    let row = |y: &u16| xs.clone().any(|x| differs(x, *y));
    let (left, right) = (xs.clone().find(column)?, xs.clone().rfind(column)?);
    let (top, bottom) = (ys.clone().find(row)?, ys.clone().rfind(row)?);
    Some(PanelRect {
        x: left,
        y: top,
        width: right - left + 1,
        height: bottom - top + 1,
    })
}

/// Whether all of `inner` lies in `outer`.
fn holds(outer: &PanelRect, inner: &PanelRect) -> bool {
    let (right, bottom) = (inner.x + inner.width, inner.y + inner.height);
    outer.x <= inner.x
        && outer.y <= inner.y
        && right <= outer.x.saturating_add(outer.width)
        && bottom <= outer.y.saturating_add(outer.height)
}

fn in_trace(name: &str, error: &dyn Error) -> String {
    format!("{name}: {error}")
}

fn is_there(program: &str, ask: &str) -> bool {
    let quiet = Command::new(program)
        .arg(ask)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok()
}

/// The number of pictures, and what this codec sends of them, exactly.
fn ours(path: &Path) -> Result<(usize, u64), Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let profile = Profile::default();
    let mut encoder = Encoder::new(trace.picture().size(), 1, profile);
    let mut decoder = Decoder::new(profile);
    let (mut pictures, mut bytes) = (0, 0);
    while let Some(at) = trace.advance()? {
        pictures += 1;
        while let Some(step) = encoder.step(trace.picture(), Millis::new(at.into())) {
            let (header, body) = step.frame.split_at(HEADER_LEN);
            let applied = decoder.apply(header[3], body)?;
            if let Some(reply) = applied.reply {
                encoder.handle(reply[3], &reply[HEADER_LEN..])?;
            }
            bytes += step.frame.len() as u64;
        }
        if decoder.picture() != Some(trace.picture()) {
            return Err(format!("the picture at {at} ms arrived changed").into());
        }
    }
    Ok((pictures, bytes))
}

/// What the VNC server sends.
fn vnc(path: &Path, program: &str, encoding: Encoding) -> Result<u64, Box<dyn Error>> {
    let mut trace = Trace::open(path)?;
    let size = trace.picture().size();
    let server = Server::start(program, size)?;
    let mut painter = server.painter()?;
    let grid = TileGrid::new(size);
    let mut client: Option<Client<_>> = None;
    while let Some(at) = trace.advance()? {
        let mut rects = trace.damage().to_vec();
        match client.as_ref().map(Client::picture) {
            None => rects = grid.cover(&(0..grid.count()).collect::<Vec<_>>()),
            Some(shown) => {
                // What changed after the damage was asked for, and before the picture was taken.
                let late = grid
                    .changed(shown, trace.picture())
                    .into_iter()
                    .filter_map(|tile| differing(shown, trace.picture(), grid.rect(tile)?))
                    .filter(|found| !rects.iter().any(|rect| holds(rect, found)));
                let late: Vec<PanelRect> = late.collect();
                rects.extend(late);
            }
        }
        painter.draw(trace.picture(), &rects)?;
        let client = match &mut client {
            Some(client) => client,
            none => none.insert(Client::greet(server.connect()?, encoding)?),
        };
        while client.picture() != trace.picture() {
            client
                .update()
                .map_err(|error| format!("the picture at {at} ms did not arrive: {error}"))?;
        }
    }
    Ok(client.map_or(0, |client| client.bytes()))
}
