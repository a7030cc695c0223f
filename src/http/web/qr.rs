//! QR codes drawn by us from the modules of the `qrcode` crate: as inline SVG, as an SVG file and as a PNG.

mod png;

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;
use qrcode::{Color, EcLevel, QrCode};

/// Width of the white border around the modules, in modules (ISO/IEC 18004 asks for four).
pub const QUIET_ZONE: usize = 4;

/// A finished `<svg>` element: safe to put into a page as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrSvg(String);

impl QrSvg {
    /// The markup of the element.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QrSvg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for QrSvg {}

/// The text is longer than a QR code can hold (2 331 bytes at the level we use).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text does not fit into a QR code")]
pub struct TextTooLong;

/// Draws a coupon's code as a QR code of error correction level M, dark on white in every theme, with its quiet zone.
///
/// The text itself is not repeated in the markup.
///
/// # Errors
/// [`TextTooLong`] when no QR version holds the text.
pub fn svg(text: &str) -> Result<QrSvg, TextTooLong> {
    let attributes = r#"class="qr" role="img" aria-label="QR code with the coupon code""#;
    modules(text).map(|modules| QrSvg(modules.svg(attributes)))
}

/// The same for an address: people know where it leads from the words beside it.
///
/// # Errors
/// [`TextTooLong`] when no QR version holds the address.
pub fn link_svg(address: &str) -> Result<QrSvg, TextTooLong> {
    let attributes = r#"class="qr" role="img" aria-label="QR code of the link""#;
    modules(address).map(|modules| QrSvg(modules.svg(attributes)))
}

/// An SVG file that stands alone, to be printed at any size.
///
/// # Errors
/// [`TextTooLong`] when no QR version holds the text.
pub fn svg_file(text: &str) -> Result<String, TextTooLong> {
    modules(text).map(|modules| modules.svg(r#"xmlns="http://www.w3.org/2000/svg" width="600" height="600""#))
}

/// A PNG of one bit a pixel, [`PNG_SCALE`] pixels a module.
///
/// # Errors
/// [`TextTooLong`] when no QR version holds the text.
pub fn png_file(text: &str) -> Result<Vec<u8>, TextTooLong> {
    modules(text).map(|modules| modules.png())
}

/// Pixels of a module in a PNG: a link's code is 500 to 800 pixels wide, enough for a printed page.
pub const PNG_SCALE: usize = 16;

/// The dark and light fields of a code, without its border.
struct Modules {
    width: usize,
    fields: Vec<Color>,
}

fn modules(text: &str) -> Result<Modules, TextTooLong> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| TextTooLong)?;
    Ok(Modules { width: code.width(), fields: code.to_colors() })
}

impl Modules {
    fn side(&self) -> usize {
        self.width + 2 * QUIET_ZONE
    }

    fn rows(&self) -> impl Iterator<Item = (usize, &[Color])> {
        self.fields.chunks(self.width).enumerate().map(|(row, line)| (row + QUIET_ZONE, line))
    }

    fn svg(&self, attributes: &str) -> String {
        let side = self.side();
        let mut path = String::new();
        for (row, line) in self.rows() {
            draw_row(&mut path, row, line);
        }
        // The two colours are the code's own, not the page's: a scanner needs dark on white in the dark theme too.
        format!(
            r##"<svg {attributes} viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
        )
    }

    fn png(&self) -> Vec<u8> {
        let side = self.side() * PNG_SCALE;
        let bytes = side.div_ceil(8);
        // One bit a pixel, 1 is white.
        let white = vec![0xFF_u8; bytes];
        let mut lines: Vec<Vec<u8>> = vec![white; side];
        for (row, line) in self.rows() {
            let mut drawn = vec![0xFF_u8; bytes];
            for (column, _) in line.iter().enumerate().filter(|(_, field)| **field == Color::Dark) {
                let from = (column + QUIET_ZONE) * PNG_SCALE;
                for pixel in from..from + PNG_SCALE {
                    if let Some(byte) = drawn.get_mut(pixel / 8) {
                        *byte &= !(0x80 >> (pixel % 8));
                    }
                }
            }
            for target in lines.iter_mut().skip(row * PNG_SCALE).take(PNG_SCALE) {
                target.clone_from(&drawn);
            }
        }
        png::encode(side, &lines)
    }
}

/// Appends one rectangle per run of dark modules: `M x y h w v1 h-w z`.
fn draw_row(path: &mut String, y: usize, line: &[Color]) {
    let mut x = QUIET_ZONE;
    for run in line.chunk_by(|left, right| left == right) {
        let width = run.len();
        if run.first() == Some(&Color::Dark) {
            // Writing into a String cannot fail.
            let _ = write!(path, "M{x} {y}h{width}v1h-{width}z");
        }
        x += width;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use super::*;

    /// Pixels per module in the rasterised picture.
    const SCALE: usize = 6;

    /// Reads the produced markup (not the crate's modules) back into a grid of dark pixels.
    fn rasterise(svg: &str) -> (usize, Vec<bool>) {
        let view_box = svg.split(r#"viewBox="0 0 "#).nth(1).unwrap();
        let side: usize = view_box.split(' ').next().unwrap().parse().unwrap();
        let width = side * SCALE;
        let mut dark = vec![false; width * width];
        let path = svg.split(r#" d=""#).nth(1).unwrap().split('"').next().unwrap();
        for rect in path.split_terminator('z') {
            let (corner, rest) = rect.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = corner.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let run: usize = rest.split_once('v').unwrap().0.parse().unwrap();
            for row in y * SCALE..(y + 1) * SCALE {
                dark[row * width + x * SCALE..row * width + (x + run) * SCALE].fill(true);
            }
        }
        (width, dark)
    }

    fn read_back(svg: &str) -> String {
        let (width, dark) = rasterise(svg);
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, width, |x, y| if dark[y * width + x] { 0 } else { 255 });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code in the picture");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_decoder_reads_the_code_back_from_the_drawn_svg() {
        for text in ["PZA-7KMQ-4XTD", "WLC-92XKM-7QH4T", "https://codes.example/c/9tQ2xWq7LmN4pRs8VbYzKd", "a"] {
            assert_eq!(read_back(svg(text).unwrap().as_str()), text);
        }
    }

    #[test]
    fn the_quiet_zone_of_four_modules_stays_white() {
        let (width, dark) = rasterise(svg("PZA-7KMQ-4XTD").unwrap().as_str());
        let zone = QUIET_ZONE * SCALE;
        for (index, _) in dark.iter().enumerate().filter(|(_, dark)| **dark) {
            let (x, y) = (index % width, index / width);
            assert!(x >= zone && y >= zone && x < width - zone && y < width - zone, "dark pixel at {x},{y}");
        }
    }

    #[test]
    fn the_markup_carries_neither_the_text_nor_an_inline_style() {
        let svg = svg("PZA-7KMQ-4XTD").unwrap();
        assert!(!svg.as_str().contains("7KMQ") && !svg.as_str().contains("style="));
    }

    #[test]
    fn another_decoder_reads_the_address_back_from_the_png() {
        let address = "https://codes.example/x/anna?sub=poster-7";
        let bytes = png_file(address).unwrap();
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(
            (frame.width, frame.color_type, frame.bit_depth),
            (frame.height, ::png::ColorType::Grayscale, ::png::BitDepth::One)
        );
        let side = usize::try_from(frame.width).unwrap();
        let is_white = |x: usize, y: usize| pixels[y * frame.line_size + x / 8] & (0x80 >> (x % 8)) != 0;
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| if is_white(x, y) { 255 } else { 0 });
        assert_eq!(image.detect_grids()[0].decode().unwrap().1, address);
        assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
    }

    #[test]
    fn the_svg_file_stands_alone_and_holds_the_same_code() {
        let file = svg_file("https://codes.example/x/anna").unwrap();
        assert!(file.starts_with(r#"<svg xmlns="http://www.w3.org/2000/svg""#));
        assert_eq!(read_back(&file), "https://codes.example/x/anna");
    }

    #[test]
    fn a_text_no_version_can_hold_is_an_error() {
        assert_eq!(svg(&"x".repeat(4000)), Err(TextTooLong));
    }
}
