//! A real Chromium, driven over `--remote-debugging-pipe`: no driver, no port, no crate for it.
//!
//! Blocking: in a test with a runtime, use it inside `spawn_blocking`. Every wait has an end, in the page or here.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// Longest time for one answer of the browser, and for [`Tab::until`]; far longer than any of it takes.
const LIMIT: Duration = Duration::from_secs(60);

/// The browser; closed when it is dropped.
pub struct Browser {
    child: Child,
    wire: Arc<Mutex<Wire>>,
    _profile: tempfile::TempDir,
}

/// One page in it.
pub struct Tab {
    wire: Arc<Mutex<Wire>>,
    session: String,
}

/// Pointer that [`Tab::pointer`] moves.
#[derive(Clone, Copy, PartialEq)]
pub enum Hand {
    Mouse,
    /// A pen, with its pressure from 0 to 1.
    Pen(f64),
}

struct Wire {
    input: ChildStdin,
    output: mpsc::Receiver<Value>,
    last: u64,
    events: Vec<Value>,
}

impl Browser {
    /// Starts one without a window.
    pub fn start() -> Self {
        let profile = tempfile::tempdir().expect("a directory for the browser's profile");
        let mut command = Command::new("sh");
        // The browser talks on descriptors 3 and 4.
        command
            .args([
                "-c",
                "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
                "sh",
                "chromium",
            ])
            .args([
                "--remote-debugging-pipe",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args([
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let input = child.stdin.take().expect("piped");
        let mut pipe = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while pipe.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else {
                    return;
                };
                if sender.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let wire = Wire {
            input,
            output,
            last: 0,
            events: Vec::new(),
        };
        Self {
            child,
            wire: Arc::new(Mutex::new(wire)),
            _profile: profile,
        }
    }

    /// Opens a page in a window of its own, `width` by `height`: a page in the background would not paint.
    pub fn tab(&self, url: &str, width: u32, height: u32) -> Tab {
        let call = |method: &str, params| {
            self.wire
                .lock()
                .expect("no panic")
                .call(None, method, params)
        };
        let target = call(
            "Target.createTarget",
            json!({"url": "about:blank", "newWindow": true}),
        )["targetId"]
            .clone();
        let attached = call(
            "Target.attachToTarget",
            json!({"targetId": target, "flatten": true}),
        );
        let session = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        let tab = Tab {
            wire: Arc::clone(&self.wire),
            session,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        tab.resize(width, height);
        tab.navigate(url);
        tab
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A test that failed may have left the lock poisoned; the browser must go all the same.
        let mut wire = self
            .wire
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = wire
            .input
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        // Its end of the pipe closes when it is gone.
        while wire.output.recv_timeout(Duration::from_secs(5)).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Wire {
    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input
            .write_all(&bytes)
            .expect("the browser listens; is `chromium` installed?");
        loop {
            let answer = self.output.recv_timeout(LIMIT).unwrap_or_else(|error| {
                panic!("{method}: no answer from the browser ({error}); is `chromium` installed?")
            });
            if answer["id"] == id {
                assert!(
                    answer.get("error").is_none(),
                    "{method}: {}",
                    answer["error"]
                );
                return answer["result"].clone();
            }
            if answer.get("method").is_some() {
                self.events.push(answer);
            }
        }
    }
}

impl Tab {
    /// Any command of the browser's protocol.
    pub fn call(&self, method: &str, params: Value) -> Value {
        self.wire
            .lock()
            .expect("no panic")
            .call(Some(&self.session), method, params)
    }

    /// Goes to `url`.
    pub fn navigate(&self, url: &str) {
        let went = self.call("Page.navigate", json!({"url": url}));
        assert!(went["errorText"].is_null(), "{url}: {}", went["errorText"]);
    }

    /// Goes to the same page again.
    pub fn reload(&self) {
        self.call("Page.reload", json!({}));
    }

    /// Changes the size of the window.
    pub fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets a preference of the person's, such as `prefers-color-scheme` to `dark`; motion is reduced with it, so that
    /// a picture catches no half of a move.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// The value of an expression, awaited.
    pub fn eval(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let result = self.call("Runtime.evaluate", params);
        assert!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {}",
            result["exceptionDetails"]
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn until(&self, expression: &str) {
        let limit = LIMIT.as_millis() / 2;
        let waiting = format!(
            "new Promise((is, never) => {{ const began = performance.now(); const look = () => {{ \
               let holds = false; try {{ holds = {expression}; }} catch {{}} \
               if (holds) is(true); \
               else if (performance.now() - began > {limit}) never(new Error('waited in vain')); \
               else setTimeout(look, 10); }}; look(); }})"
        );
        // A page that is on its way elsewhere takes the promise with it; ask the next one.
        for _ in 0..20 {
            let params =
                json!({"expression": waiting, "awaitPromise": true, "returnByValue": true});
            let mut wire = self.wire.lock().expect("no panic");
            wire.last += 1;
            let id = wire.last;
            let message = json!({"id": id, "method": "Runtime.evaluate", "params": params, "sessionId": self.session});
            let mut bytes = message.to_string().into_bytes();
            bytes.push(0);
            wire.input.write_all(&bytes).expect("the browser listens");
            let answer = loop {
                let answer = wire
                    .output
                    .recv_timeout(LIMIT)
                    .expect("an answer of the browser");
                if answer["id"] == id {
                    break answer;
                }
                wire.events.push(answer);
            };
            if answer["result"]["result"]["value"] == json!(true) {
                return;
            }
            if answer.get("error").is_none() {
                panic!(
                    "waited in vain for {expression}; the page says: {}",
                    self.text_with(&mut wire)
                );
            }
        }
        panic!("the page never stood still for {expression}");
    }

    fn text_with(&self, wire: &mut Wire) -> String {
        let params = json!({"expression": "document.body.innerText", "returnByValue": true});
        wire.call(Some(&self.session), "Runtime.evaluate", params)["result"]["value"].to_string()
    }

    /// Middle of an element, in the window's pixels.
    pub fn middle(&self, selector: &str) -> (f64, f64) {
        self.at(selector, 0.5, 0.5)
    }

    /// A place within an element, from 0 to 1 each way, in the window's pixels.
    pub fn at(&self, selector: &str, across: f64, along: f64) -> (f64, f64) {
        let found = self.eval(&format!(
            "(() => {{ const box = document.querySelector({selector:?}).getBoundingClientRect(); \
               return [box.x + box.width * {across}, box.y + box.height * {along}]; }})()"
        ));
        (
            found[0].as_f64().expect("a number"),
            found[1].as_f64().expect("a number"),
        )
    }

    /// One event of a pointer: `mousePressed`, `mouseMoved` or `mouseReleased`, with the left button.
    pub fn pointer(&self, hand: Hand, kind: &str, (x, y): (f64, f64), is_down: bool) {
        let button = if is_down || kind != "mouseMoved" {
            "left"
        } else {
            "none"
        };
        let mut event = json!({"type": kind, "x": x, "y": y, "button": button, "buttons": i32::from(is_down), "clickCount": 1});
        if let Hand::Pen(force) = hand {
            event["pointerType"] = json!("pen");
            event["force"] = json!(force);
        }
        self.call("Input.dispatchMouseEvent", event);
    }

    /// Clicks on an element.
    pub fn click(&self, selector: &str) {
        let at = self.middle(selector);
        self.pointer(Hand::Mouse, "mouseMoved", at, false);
        self.pointer(Hand::Mouse, "mousePressed", at, true);
        self.pointer(Hand::Mouse, "mouseReleased", at, false);
    }

    /// Presses a key and lets it go; `key` as in the DOM: `Tab`, `Enter`, `ArrowLeft`, a letter.
    pub fn press(&self, key: &str) {
        self.key("keyDown", key);
        self.key("keyUp", key);
    }

    /// `keyDown` or `keyUp`.
    pub fn key(&self, kind: &str, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            " " => 32,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            "Delete" => 46,
            _ => u32::from(key.to_uppercase().chars().next().expect("a key")),
        };
        let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
        let text = if key == "Enter" { "\r" } else { key };
        if kind == "keyDown" && text.chars().count() == 1 {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Types a text into what has the focus.
    pub fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Writes what the window shows to `name` in the tests' own directory, and answers where.
    pub fn shot(&self, name: &str) -> PathBuf {
        self.eval("document.fonts.ready.then(() => true)");
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        std::fs::create_dir_all(&dir).expect("a directory");
        let file = dir.join(name);
        std::fs::write(&file, base64(shot["data"].as_str().expect("a picture"))).expect("written");
        eprintln!("{}", file.display());
        file
    }

    /// Every node of the accessibility tree as (role, name), the ignored ones left out.
    pub fn accessible(&self) -> Vec<(String, String)> {
        let tree = self.call("Accessibility.getFullAXTree", json!({}));
        let text = |node: &Value, field: &str| {
            node[field]["value"].as_str().unwrap_or_default().to_owned()
        };
        let nodes = tree["nodes"].as_array().expect("nodes");
        nodes
            .iter()
            .filter(|node| node["ignored"] != json!(true))
            .map(|node| (text(node, "role"), text(node, "name")))
            .collect()
    }

    /// Everything that the browser has complained about in this tab: exceptions, refused loads, console errors.
    pub fn complaints(&self) -> Vec<String> {
        // One more round trip, so that what was on its way has come.
        self.eval("1");
        let wire = self.wire.lock().expect("no panic");
        let own = wire
            .events
            .iter()
            .filter(|event| event["sessionId"] == json!(self.session));
        own.filter_map(|event| match event["method"].as_str()? {
            "Log.entryAdded" | "Runtime.exceptionThrown" => Some(event["params"].to_string()),
            "Runtime.consoleAPICalled" => Some(event["params"]["args"].to_string()),
            _ => None,
        })
        .collect()
    }
}

/// Expression for the colour of a canvas at one of its pixels, as `red,green,blue,alpha`.
pub fn pixel(canvas: &str, x: u32, y: u32) -> String {
    // Through a canvas of our own: reading the page's would make the browser complain, and paint slower.
    format!(
        "(() => {{ const probe = (window.probe ??= new OffscreenCanvas(1, 1).getContext('2d', {{ willReadFrequently: true }})); \
           probe.clearRect(0, 0, 1, 1); \
           probe.drawImage(document.querySelector('{canvas}'), {x}, {y}, 1, 1, 0, 0, 1, 1); \
           return probe.getImageData(0, 0, 1, 1).data.join(); }})()"
    )
}

fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}
