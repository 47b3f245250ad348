//! Files in an S3 bucket, over the parts that all our HTTP is made of. The
//! guard of the outbound client is not in between: the operator names the
//! endpoint, which is often a private address.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, RetryConfig};
use tokio::time::timeout;

use crate::base::Problem;
use crate::config::S3;
use crate::net::client::client_tls;

/// From a request to the head of its answer; uploads of large files go out
/// in this time.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// How long TCP may take to connect.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a request may be tried again, and how often: whoever waits for a
/// picture waits for this.
const RETRY_FOR: Duration = Duration::from_secs(20);
const RETRIES_MAX: usize = 3;

/// A bucket.
///
/// # Errors
/// When the settings do not fit together.
pub(super) fn open(settings: &S3, extra_roots_pem: &[u8]) -> Result<Arc<dyn ObjectStore>, Problem> {
    let wrong = |error: object_store::Error| {
        Problem::invalid(format!("the bucket `{}` cannot be used: {error}", settings.bucket))
            .hint("see `media` in `waxwing directives`")
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&settings.bucket)
        .with_region(&settings.region)
        .with_access_key_id(&settings.access_key)
        .with_secret_access_key(&settings.secret_key)
        .with_virtual_hosted_style_request(!settings.is_path_style)
        .with_retry(RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_FOR,
            ..RetryConfig::default()
        })
        .with_http_connector(Connector { client: client(extra_roots_pem)? });
    if let Some(endpoint) = &settings.endpoint {
        builder = builder
            .with_endpoint(endpoint.as_str().trim_end_matches('/'))
            .with_allow_http(endpoint.scheme() == "http");
    }
    let bucket = builder.build().map_err(wrong)?;
    Ok(match settings.prefix.as_str() {
        "" => Arc::new(bucket),
        prefix => Arc::new(PrefixStore::new(bucket, prefix)),
    })
}

type Pool = legacy::Client<HttpsConnector<TcpConnector>, HttpRequestBody>;

fn client(extra_roots_pem: &[u8]) -> Result<Pool, Problem> {
    let mut tcp = TcpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_MAX));
    tcp.set_nodelay(true);
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(client_tls(extra_roots_pem)?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(legacy::Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https))
}

/// Gives `object_store` our HTTP.
#[derive(Debug)]
struct Connector {
    client: Pool,
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service { client: self.client.clone() }))
    }
}

#[derive(Debug)]
struct Service {
    client: Pool,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = match timeout(ANSWER_MAX, self.client.request(request)).await {
            Ok(answer) => answer.map_err(explain)?,
            Err(late) => return Err(HttpError::new(HttpErrorKind::Timeout, late)),
        };
        let (head, body) = answer.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

fn explain(error: legacy::Error) -> HttpError {
    let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
    HttpError::new(kind, error)
}
