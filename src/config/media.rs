//! The `media` directive: a folder, memory, or a bucket that speaks S3.

use url::Url;

use super::complaint::{Fault, excerpt};
use super::directives::Shown;
use super::draft::Word;
use super::settings::{MediaChoice, S3};
use super::value;

/// Signed for where no region is given; what most servers other than
/// Amazon's take.
const REGION: &str = "us-east-1";
const FIX: &str = "write `s3://BUCKET?endpoint=https://s3.example&access_key=ID&secret_key=SECRET`";

/// Reads its value; a folder is not yet absolute.
pub(super) fn read(word: &Word) -> Result<MediaChoice, Fault> {
    if word.text == "memory" {
        return Ok(MediaChoice::Memory);
    }
    match word.text.split_once("://") {
        Some(("s3", _)) => bucket(&word.text).map(|s3| MediaChoice::S3(Box::new(s3))),
        // The rest of the URL may hold a password.
        Some((scheme, _)) => Err(Fault::new(
            format!("media cannot be kept at `{}://`", excerpt(scheme)),
            "they are kept in a folder or in an S3 bucket",
            FIX,
        )),
        None => value::path(word).map(MediaChoice::Folder),
    }
}

/// Its value in an effective config.
pub(super) fn show(choice: &MediaChoice) -> Shown {
    Shown::Text(match choice {
        MediaChoice::Folder(folder) => folder.display().to_string(),
        MediaChoice::Memory => "memory".to_owned(),
        MediaChoice::S3(s3) => s3.written.clone(),
    })
}

fn bucket(text: &str) -> Result<S3, Fault> {
    let url = Url::parse(text).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
    let url = url.ok_or_else(|| Fault::new("that names no bucket", "files need a place", FIX))?;
    let mut s3 = S3 {
        bucket: url.host_str().unwrap_or_default().to_owned(),
        prefix: url.path().trim_matches('/').to_owned(),
        endpoint: None,
        region: REGION.to_owned(),
        access_key: String::new(),
        secret_key: String::new(),
        is_path_style: false,
        written: text.to_owned(),
    };
    let mut style = None;
    for (name, value) in url.query_pairs() {
        match &*name {
            "endpoint" => s3.endpoint = Some(endpoint(&value)?),
            "region" => s3.region = value.into_owned(),
            "access_key" => s3.access_key = value.into_owned(),
            "secret_key" => s3.secret_key = value.into_owned(),
            "path_style" => style = Some(value != "false"),
            other => {
                let what = format!("a bucket has no setting `{}`", excerpt(other));
                let why = "there are `endpoint`, `region`, `access_key`, `secret_key`, `path_style`";
                return Err(Fault::new(what, why, FIX));
            }
        }
    }
    // Servers other than Amazon's seldom have a host name for each bucket.
    s3.is_path_style = style.unwrap_or(s3.endpoint.is_some());
    if s3.access_key.is_empty() || s3.secret_key.is_empty() {
        return Err(Fault::new("the bucket's keys are missing", "requests to it are signed", FIX));
    }
    Ok(s3)
}

fn endpoint(text: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    url.ok_or_else(|| {
        let what = format!("`{}` is no endpoint", excerpt(text));
        Fault::new(what, "it is the web address of the bucket's server", FIX)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::draft::{Place, Spelling};

    fn read(text: &str) -> Result<MediaChoice, Fault> {
        let place = Place::whole(&Arc::from("test"));
        super::read(&Word { text: text.to_owned(), spelling: Spelling::Bare, place })
    }

    #[test]
    fn a_bucket_is_one_address() {
        let text =
            "s3://birds/media?endpoint=http://127.0.0.1:9000&region=home&access_key=a&secret_key=b%2Fc";
        let Ok(MediaChoice::S3(s3)) = read(text) else { panic!("it is a bucket") };
        assert_eq!((s3.bucket.as_str(), s3.prefix.as_str(), s3.region.as_str()), ("birds", "media", "home"));
        assert_eq!((s3.access_key.as_str(), s3.secret_key.as_str(), s3.is_path_style), ("a", "b/c", true));
        assert!(!format!("{s3:?}").contains("b/c"), "secrets stay out of logs");
        let Ok(MediaChoice::S3(amazon)) = read("s3://birds?region=eu-west-1&access_key=a&secret_key=b")
        else {
            panic!("it is a bucket")
        };
        assert!(!amazon.is_path_style && amazon.endpoint.is_none());
    }

    #[test]
    fn mistakes_are_told() {
        for bad in [
            "s3://",
            "s3://birds",
            "s3://birds?access_key=a",
            "s3://birds?access_key=a&secret_key=b&color=red",
            "s3://birds?access_key=a&secret_key=b&endpoint=birds",
            "ftp://birds",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
