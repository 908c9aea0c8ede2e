//! Windows over those of other programs: opaque, shaped, always on top, and part of the picture that the operator sees.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alongside::{
    Frame,
    protocol::units::{Color, PanelRect},
};
use x11rb::{
    connection::Connection,
    errors::{ReplyError, ReplyOrIdError},
    protocol::{
        shape::{ConnectionExt as _, SK, SO},
        xproto::{
            ChangeWindowAttributesAux, ClipOrdering, ConfigureWindowAux, ConnectionExt as _,
            CreateGCAux, CreateWindowAux, EventMask, Gcontext, GrabMode, GrabStatus, ImageFormat,
            ImageOrder, MapState, Pixmap, Rectangle, StackMode, Window, WindowClass,
        },
    },
    rust_connection::RustConnection,
};

use super::{
    Screen,
    inject::Hand,
    ink::{self, Picture},
};
use crate::panel::{
    Drawn,
    mfd::{Rect, Scene},
};

/// Most bytes of a picture in one request: what every server takes.
const CHUNK: usize = 200_000;

/// The windows.
#[derive(Debug)]
pub(super) struct Windows {
    connection: Arc<RustConnection>,
    screen: Screen,
    gc: Gcontext,
    /// Bottom to top: strokes, pointer, and what is the customer's own.
    ink: Window,
    pointer: Window,
    pub(super) overlay: Window,
    pixmap: Pixmap,
    shown: Mutex<Shown>,
}

/// What the windows show.
#[derive(Debug, Default)]
struct Shown {
    frame: Option<Arc<Frame>>,
    islands: Vec<Rect>,
    masked: Vec<PanelRect>,
    has_keys: bool,
    ink: Option<Picture>,
    pointer: Option<Picture>,
}

/// Keeps what is shown as it is.
pub(super) struct Still<'a>(MutexGuard<'a, Shown>);

impl Still<'_> {
    /// What of the screen the operator must not see.
    pub(super) fn masked(&self) -> Vec<PanelRect> {
        self.0.masked.clone()
    }
}

impl Windows {
    pub(super) fn new(
        connection: Arc<RustConnection>,
        screen: Screen,
    ) -> Result<Self, ReplyOrIdError> {
        connection.shape_query_version()?.reply()?;
        let (width, height) = (screen.size.width(), screen.size.height());
        let window = |events: EventMask| -> Result<Window, ReplyOrIdError> {
            let window = connection.generate_id()?;
            let aux = CreateWindowAux::new()
                .override_redirect(1)
                .event_mask(events);
            connection
                .create_window(
                    x11rb::COPY_FROM_PARENT as u8,
                    window,
                    screen.root,
                    0,
                    0,
                    width,
                    height,
                    0,
                    WindowClass::INPUT_OUTPUT,
                    x11rb::COPY_FROM_PARENT,
                    &aux,
                )?
                .check()?;
            Ok(window)
        };
        let ink = window(EventMask::VISIBILITY_CHANGE)?;
        let pointer = window(EventMask::VISIBILITY_CHANGE)?;
        let overlay = window(
            EventMask::VISIBILITY_CHANGE
                | EventMask::BUTTON_PRESS
                | EventMask::BUTTON_RELEASE
                | EventMask::BUTTON_MOTION
                | EventMask::KEY_PRESS,
        )?;
        // Whatever is done where the operator draws goes to the program below.
        for window in [ink, pointer] {
            connection.shape_rectangles(
                SO::SET,
                SK::INPUT,
                ClipOrdering::UNSORTED,
                window,
                0,
                0,
                &[],
            )?;
        }
        let gc = connection.generate_id()?;
        connection.create_gc(gc, overlay, &CreateGCAux::new().graphics_exposures(0))?;
        let pixmap = connection.generate_id()?;
        connection
            .create_pixmap(screen.depth, pixmap, screen.root, width, height)?
            .check()?;
        Ok(Self {
            connection,
            screen,
            gc,
            ink,
            pointer,
            overlay,
            pixmap,
            shown: Mutex::default(),
        })
    }

    /// Keeps what is shown as it is, until what is returned is dropped.
    pub(super) fn hold_still(&self) -> Still<'_> {
        Still(self.lock())
    }

    /// Shows a scene. Answers whether another part of the screen is masked than before, and whether the keyboard is
    /// still another program's.
    pub(super) fn show(&self, scene: &Scene, hand: &Hand) -> Result<Outcome, ReplyError> {
        let mut shown = self.lock();
        let both: Vec<_> = shown
            .islands
            .iter()
            .chain(&scene.islands)
            .copied()
            .collect();
        hand.keep_off(both);
        let is_new_shape = shown.islands != scene.islands;
        for island in &scene.islands {
            let fresh = !shown.islands.contains(island);
            let before = shown.frame.as_ref().filter(|_| !fresh);
            self.paint(*island, &scene.frame, before.map(AsRef::as_ref))?;
        }
        let aux = ChangeWindowAttributesAux::new().background_pixmap(self.pixmap);
        self.connection
            .change_window_attributes(self.overlay, &aux)?;
        if is_new_shape {
            self.reshape(&scene.islands)?;
        }
        self.connection
            .clear_area(false, self.overlay, 0, 0, 0, 0)?;
        self.keys(&mut shown, scene.wants_keys)?;
        // From here on the server shows this and nothing of what was before.
        self.connection.get_input_focus()?.reply()?;
        hand.keep_off(scene.islands.clone());
        let is_mask_new = shown.masked != scene.masked;
        shown.frame = Some(Arc::clone(&scene.frame));
        shown.islands.clone_from(&scene.islands);
        shown.masked.clone_from(&scene.masked);
        Ok(Outcome {
            is_mask_new,
            lacks_keys: shown.has_keys != scene.wants_keys,
        })
    }

    /// Draws annotations.
    pub(super) fn draw(&self, drawn: &Drawn) -> Result<(), ReplyError> {
        let size = self.screen.size;
        let strokes = ink::strokes(drawn, size);
        let pointer = drawn.pointer.as_ref().and_then(|at| ink::pointer(at, size));
        let mut shown = self.lock();
        if shown.ink != strokes {
            self.picture(self.ink, strokes.as_ref(), shown.ink.is_none())?;
            shown.ink = strokes;
        }
        if shown.pointer != pointer {
            self.picture(self.pointer, pointer.as_ref(), shown.pointer.is_none())?;
            shown.pointer = pointer;
        }
        drop(shown);
        self.connection.flush()?;
        Ok(())
    }

    /// Brings the windows to the top again, if others lie over them.
    pub(super) fn raise(&self) -> Result<(), ReplyError> {
        let shown = self.lock();
        let ours = [
            (self.ink, shown.ink.is_some()),
            (self.pointer, shown.pointer.is_some()),
            (self.overlay, !shown.islands.is_empty()),
        ];
        drop(shown);
        let ours: Vec<_> = ours
            .into_iter()
            .filter_map(|(window, is_shown)| is_shown.then_some(window))
            .collect();
        let tree = self.connection.query_tree(self.screen.root)?.reply()?;
        let mut top = Vec::new();
        for window in tree.children.iter().rev() {
            if top.len() == ours.len() {
                break;
            }
            let is_mapped = ours.contains(window)
                || self
                    .connection
                    .get_window_attributes(*window)?
                    .reply()
                    .is_ok_and(|attributes| attributes.map_state != MapState::UNMAPPED);
            if is_mapped {
                top.insert(0, *window);
            }
        }
        if top != ours {
            for window in ours {
                self.lift(window)?;
            }
            self.connection.flush()?;
        }
        Ok(())
    }

    fn lift(&self, window: Window) -> Result<(), ReplyError> {
        let aux = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        self.connection.configure_window(window, &aux)?;
        Ok(())
    }

    fn reshape(&self, islands: &[Rect]) -> Result<(), ReplyError> {
        let rectangles: Vec<_> = islands.iter().copied().map(rectangle).collect();
        for kind in [SK::BOUNDING, SK::INPUT] {
            self.connection.shape_rectangles(
                SO::SET,
                kind,
                ClipOrdering::UNSORTED,
                self.overlay,
                0,
                0,
                &rectangles,
            )?;
        }
        if islands.is_empty() {
            self.connection.unmap_window(self.overlay)?;
        } else {
            self.connection.map_window(self.overlay)?;
            self.lift(self.overlay)?;
        }
        Ok(())
    }

    /// Paints the rows of an island that differ.
    fn paint(&self, island: Rect, frame: &Frame, before: Option<&Frame>) -> Result<(), ReplyError> {
        let stride = usize::from(self.screen.size.width());
        let (left, width) = (island.x.max(0) as usize, island.w.max(0) as usize);
        let row = |frame: &'_ Frame, y: usize| -> Vec<u32> {
            let at = y * stride + left;
            frame
                .pixels()
                .get(at..at + width)
                .unwrap_or_default()
                .to_vec()
        };
        let rows_at_once = (CHUNK / (width * 4).max(1)).max(1);
        let differs = |y: usize| before.is_none_or(|before| row(before, y) != row(frame, y));
        let end = island.bottom().max(0) as usize;
        let mut y = island.y.max(0) as usize;
        while y < end {
            if !differs(y) {
                y += 1;
                continue;
            }
            let from = y;
            while y < end && y - from < rows_at_once && differs(y) {
                y += 1;
            }
            let bytes: Vec<u8> = (from..y)
                .flat_map(|y| row(frame, y))
                .flat_map(|pixel| match self.screen.order {
                    ImageOrder::MSB_FIRST => pixel.to_be_bytes(),
                    _ => pixel.to_le_bytes(),
                })
                .collect();
            self.connection.put_image(
                ImageFormat::Z_PIXMAP,
                self.pixmap,
                self.gc,
                width as u16,
                (y - from) as u16,
                left as i16,
                from as i16,
                0,
                self.screen.depth,
                &bytes,
            )?;
        }
        Ok(())
    }

    /// Shows a picture of patches in a window of its own, or nothing.
    fn picture(
        &self,
        window: Window,
        picture: Option<&Picture>,
        is_hidden: bool,
    ) -> Result<(), ReplyError> {
        let Some(Picture { place, patches }) = picture else {
            self.connection.unmap_window(window)?;
            return Ok(());
        };
        let (width, height) = (place.w as u16, place.h as u16);
        let pixmap = self
            .connection
            .generate_id()
            .map_err(|_| x11rb::errors::ConnectionError::UnknownError)?;
        self.connection.create_pixmap(
            self.screen.depth,
            pixmap,
            self.screen.root,
            width,
            height,
        )?;
        for patch in patches {
            let aux = x11rb::protocol::xproto::ChangeGCAux::new().foreground(pixel(patch.color));
            self.connection.change_gc(self.gc, &aux)?;
            for runs in patch.runs.chunks(CHUNK / 8) {
                self.connection.poly_fill_rectangle(pixmap, self.gc, runs)?;
            }
        }
        let aux = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
        self.connection.change_window_attributes(window, &aux)?;
        self.connection.free_pixmap(pixmap)?;
        let aux = ConfigureWindowAux::new()
            .x(place.x)
            .y(place.y)
            .width(u32::from(width))
            .height(u32::from(height));
        self.connection.configure_window(window, &aux)?;
        // The first patches cover all that the later ones do.
        let runs: Vec<_> = patches
            .iter()
            .flat_map(|patch| &patch.runs)
            .copied()
            .collect();
        let mut operation = SO::SET;
        for runs in runs.chunks(CHUNK / 8) {
            self.connection.shape_rectangles(
                operation,
                SK::BOUNDING,
                ClipOrdering::UNSORTED,
                window,
                0,
                0,
                runs,
            )?;
            operation = SO::UNION;
        }
        if runs.is_empty() {
            self.connection.shape_rectangles(
                SO::SET,
                SK::BOUNDING,
                ClipOrdering::UNSORTED,
                window,
                0,
                0,
                &[],
            )?;
        }
        if is_hidden {
            self.connection.map_window(window)?;
            for window in [self.ink, self.pointer, self.overlay] {
                self.lift(window)?;
            }
        }
        self.connection.clear_area(false, window, 0, 0, 0, 0)?;
        Ok(())
    }

    /// Takes the keyboard from other programs while something is typed that is not for them.
    fn keys(&self, shown: &mut Shown, wanted: bool) -> Result<(), ReplyError> {
        if wanted && !shown.has_keys {
            let taken = self
                .connection
                .grab_keyboard(
                    false,
                    self.overlay,
                    x11rb::CURRENT_TIME,
                    GrabMode::ASYNC,
                    GrabMode::ASYNC,
                )?
                .reply()?;
            shown.has_keys = taken.status == GrabStatus::SUCCESS;
        } else if !wanted && shown.has_keys {
            self.connection.ungrab_keyboard(x11rb::CURRENT_TIME)?;
            shown.has_keys = false;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of showing a scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Another part of the screen is masked than before.
    pub(super) is_mask_new: bool,
    /// Another program holds the keyboard: to be tried again.
    pub(super) lacks_keys: bool,
}

fn rectangle(rect: Rect) -> Rectangle {
    let short = |n: i32| i16::try_from(n).unwrap_or(i16::MAX);
    let side = |n: i32| u16::try_from(n).unwrap_or(0);
    Rectangle {
        x: short(rect.x),
        y: short(rect.y),
        width: side(rect.w),
        height: side(rect.h),
    }
}

fn pixel(color: Color) -> u32 {
    u32::from_be_bytes([0, color.r, color.g, color.b])
}
