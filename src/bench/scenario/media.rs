//! Pictures are uploaded and looked at.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use image::{ImageFormat, Rgb, RgbImage};
use parking_lot::Mutex;

use super::Play;
use crate::base::Problem;
use crate::bench::client::Ask;
use crate::bench::load::{Call, Course, Work};
use crate::bench::stage::Stage;
use crate::bench::tally::{Flaw, Kind};

pub(super) const KINDS: &[Kind] = &[Kind::main("read"), Kind::main("upload")];
/// One request of so many is an upload.
const UPLOAD_EVERY: u64 = 5;
/// Pictures that are there to be looked at.
const PICTURES: usize = 6;
const PICTURE_SIZE: (u32, u32) = (800, 600);
/// Pictures of a phone are compressed; so is this.
const BOUNDARY: &str = "----waxwing-bench";
/// An unoptimised server takes seconds for one, and has several to do.
const LOOKS: usize = 1200;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Uploads and looks.
pub struct Media {
    stage: Stage,
    picture: Vec<u8>,
    /// Paths of pictures that can be looked at.
    there: Mutex<Vec<String>>,
}

impl Media {
    /// With nothing uploaded yet.
    ///
    /// # Errors
    /// When no picture can be drawn.
    pub fn new(stage: Stage) -> Result<Media, Problem> {
        Ok(Media { stage, picture: draw()?, there: Mutex::default() })
    }

    async fn upload(&self, call: Call) -> Result<String, Flaw> {
        let who = call.one_of(&self.stage.people).ok_or(Flaw::Wrong("nobody to upload"))?;
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let ask = Ask::post("/api/v2/media", &content_type, form(&self.picture)).by(&who.token);
        let answer = self.stage.client.send(&ask).await?.good()?.json()?;
        let id = answer["id"].as_str().ok_or(Flaw::Wrong("no id of the upload"))?.to_owned();
        Ok(id)
    }

    /// Uploads one and waits until it can be looked at.
    async fn furnish(&self, number: u64) -> Result<String, Flaw> {
        let call = Call { number, kind: 1, due: Duration::ZERO, dice: 0 };
        let id = self.upload(call).await?;
        let owner = self.stage.people.first().ok_or(Flaw::Wrong("nobody to upload"))?;
        for _ in 0..LOOKS {
            let answer =
                self.stage.client.send(&Ask::get(format!("/api/v1/media/{id}")).by(&owner.token)).await?;
            if answer.status == 200
                && let Some(url) = answer.json()?["preview_url"].as_str()
            {
                return Ok(path_of(url));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(Flaw::Late)
    }

    pub(super) async fn read(&self, call: Call) -> Result<(), Flaw> {
        let path = call.one_of(&self.there.lock()).cloned().ok_or(Flaw::Wrong("no picture"))?;
        let answer = self.stage.client.send(&Ask::get(path)).await?.good()?;
        if answer.body.len() > 100 { Ok(()) } else { Err(Flaw::Wrong("not a picture")) }
    }

    pub(super) async fn furnish_all(&self) -> Result<(), Problem> {
        let missing = PICTURES.saturating_sub(self.there.lock().len());
        let all = futures_util::future::join_all((0..missing as u64).map(|number| self.furnish(number)));
        for path in all.await {
            let path =
                path.map_err(|flaw| Problem::invalid(format!("no picture can be uploaded: {flaw}")))?;
            self.there.lock().push(path);
        }
        Ok(())
    }
}

/// The path of a URL.
fn path_of(url: &str) -> String {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    after.find('/').map_or_else(|| "/".to_owned(), |at| after[at..].to_owned())
}

/// A picture with enough in it to be work, as a JPEG.
fn draw() -> Result<Vec<u8>, Problem> {
    let picture = RgbImage::from_fn(PICTURE_SIZE.0, PICTURE_SIZE.1, |x, y| {
        let wave = (f64::from(x) / 17.0).sin() * (f64::from(y) / 23.0).cos();
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 27;
        Rgb([(128.0 + 100.0 * wave) as u8, (x * 255 / PICTURE_SIZE.0) as u8, (y / 3 + grain) as u8])
    });
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).map_err(Problem::internal)?;
    Ok(bytes)
}

fn form(picture: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"rowan.jpg\"\r\n\
         content-type: image/jpeg\r\n\r\n"
    );
    [head.as_bytes(), picture, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

impl Work for Media {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn choose(&self, dice: u64) -> usize {
        usize::from(dice.is_multiple_of(UPLOAD_EVERY))
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move {
            if call.kind == 1 { self.upload(call).await.map(drop) } else { self.read(call).await }
        })
    }
}

impl Play for Media {
    fn prepare<'a>(&'a self, _course: &'a Course) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(self.furnish_all())
    }

    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_one() {
        let bytes = draw().unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), PICTURE_SIZE);
        assert!(bytes.len() > 20_000, "{}", bytes.len());
    }

    #[test]
    fn urls_have_paths() {
        assert_eq!(path_of("https://localhost:8443/media/a.png?x=1"), "/media/a.png?x=1");
        assert_eq!(path_of("https://localhost"), "/");
    }
}
