//! Large bodies: how many are held in memory at once, by whom, and how fast
//! they have to come, so that nobody holds up everybody else's uploads by
//! sending nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures_util::{StreamExt, stream};
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::base::limits::BODY_MAX_BYTES;
use crate::base::{Id, Problem};

/// Uploads held in memory at once: each may take 56 MB. More wait their turn.
const AT_ONCE_MAX: usize = 6;
/// The same of one person.
const OF_ONE_MAX: usize = 2;
/// People whose uploads are told apart.
const PEOPLE_MAX: u64 = 10_000;
/// Longer than any upload may take.
const PERSON_FOR: Duration = Duration::from_secs(3600);
/// Bytes that have to come in each stretch of time; the slowest telephone
/// sends more.
const PACE: (usize, Duration) = (8 * 1024, Duration::from_secs(10));

/// The places for large bodies, of one process.
pub(crate) struct Uploads {
    places: Arc<Semaphore>,
    of_one: Cache<Id, Arc<Semaphore>>,
}

/// The right to hold a body in memory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place(#[allow(dead_code)] [OwnedSemaphorePermit; 2]);

impl Default for Uploads {
    fn default() -> Uploads {
        Uploads {
            places: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            of_one: Cache::builder().max_capacity(PEOPLE_MAX).time_to_idle(PERSON_FOR).build(),
        }
    }
}

impl Uploads {
    /// Waits for a place for the request's body, which has to come at a fair
    /// pace from then on. Small ones need no place, so that slow uploads hold
    /// up nobody who only writes. Ask before the body is read.
    ///
    /// # Errors
    /// None that can happen while the server runs.
    pub(crate) async fn admit(
        &self,
        person: Id,
        request: Request,
    ) -> Result<(Request, Option<Place>), Problem> {
        let place = if is_small(request.headers()) { None } else { Some(self.place(person).await?) };
        Ok((request.map(|body| paced(body, PACE)), place))
    }

    async fn place(&self, person: Id) -> Result<Place, Problem> {
        let own = self.of_one.get_with(person, || Arc::new(Semaphore::new(OF_ONE_MAX)));
        let own = own.acquire_owned().await.map_err(Problem::internal)?;
        let shared = self.places.clone().acquire_owned().await.map_err(Problem::internal)?;
        Ok(Place([own, shared]))
    }
}

fn is_small(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|bytes| bytes <= BODY_MAX_BYTES)
}

/// A body that fails when fewer bytes than `least` come within `span`.
fn paced(body: Body, (least, span): (usize, Duration)) -> Body {
    let pace = Pace { least, span, due: Instant::now() + span, bytes: 0 };
    Body::from_stream(stream::unfold((body.into_data_stream(), pace), |(mut chunks, mut pace)| async move {
        let chunk = pace.next(&mut chunks).await?;
        Some((chunk, (chunks, pace)))
    }))
}

struct Pace {
    least: usize,
    span: Duration,
    due: Instant,
    bytes: usize,
}

impl Pace {
    async fn next(&mut self, chunks: &mut BodyDataStream) -> Option<Result<Bytes, axum::Error>> {
        let Ok(chunk) = timeout_at(self.due, chunks.next()).await else {
            return Some(Err(axum::Error::new("the body comes too slowly")));
        };
        let chunk = chunk?;
        self.bytes += chunk.as_ref().map_or(0, Bytes::len);
        if self.bytes >= self.least {
            (self.bytes, self.due) = (0, Instant::now() + self.span);
        }
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use http_body_util::BodyExt;

    fn large() -> Request {
        Request::new(Body::from("x"))
    }

    #[tokio::test]
    async fn one_person_leaves_places_for_others() {
        let uploads = Uploads::default();
        let mut held = Vec::new();
        for _ in 0..OF_ONE_MAX {
            held.push(uploads.admit(Id(1), large()).await.unwrap());
        }
        assert!(uploads.admit(Id(1), large()).now_or_never().is_none(), "one too many of one person");
        for person in 2..6 {
            held.push(uploads.admit(Id(person), large()).now_or_never().expect("a place is free").unwrap());
        }
        assert!(uploads.admit(Id(9), large()).now_or_never().is_none(), "more than there are places");
        held.clear();
        assert!(uploads.admit(Id(1), large()).now_or_never().is_some(), "places come back");
    }

    #[tokio::test]
    async fn small_bodies_need_no_place() {
        let uploads = Uploads::default();
        let mut small = large();
        small.headers_mut().insert(CONTENT_LENGTH, "1".parse().unwrap());
        assert!(uploads.admit(Id(1), small).now_or_never().unwrap().unwrap().1.is_none());
    }

    /// Reads a body of so many bytes that ends there, or then sends nothing.
    async fn read(bytes: usize, stalls: bool) -> Result<usize, axum::Error> {
        let some = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![0; bytes]))]);
        let rest = if stalls { stream::pending().boxed() } else { stream::empty().boxed() };
        let body = paced(Body::from_stream(some.chain(rest)), (100, Duration::from_millis(50)));
        body.collect().await.map(|all| all.to_bytes().len())
    }

    #[tokio::test]
    async fn a_body_that_stops_coming_fails() {
        assert_eq!(read(9, false).await.unwrap(), 9, "the end may be short");
        assert!(read(9, true).await.is_err());
        assert!(read(1000, true).await.is_err());
    }
}
