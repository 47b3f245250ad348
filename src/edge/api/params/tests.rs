use super::*;
use crate::base::Id;
use axum::body::Body;
use axum::http::Request as HttpRequest;

async fn read(uri: &str, kind: Option<&str>, body: &[u8]) -> Result<Params, Problem> {
    let mut request = HttpRequest::post(uri);
    if let Some(kind) = kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    Params::from_request(request.body(Body::from(body.to_vec())).unwrap(), &()).await
}

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const JSON: Option<&str> = Some("application/json; charset=utf-8");

#[tokio::test]
async fn every_way_of_writing_says_the_same() {
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nhi\r\n\
        --x\r\nContent-Disposition: form-data; name=\"media_ids[]\"\r\n\r\n1\r\n\
        --x\r\nContent-Disposition: form-data; name=\"media_ids[]\"\r\n\r\n2\r\n\
        --x\r\nContent-Disposition: form-data; name=\"source[privacy]\"\r\n\r\ndirect\r\n--x--\r\n";
    let form = "status=hi&media_ids[]=1&media_ids%5B%5D=2&source[privacy]=direct";
    let json = r#"{"status":"hi","media_ids":["1",2],"source":{"privacy":"direct"}}"#;
    let cases: [(&str, Option<&str>, &str); 7] = [
        ("/x", FORM, form),
        ("/x", None, form),
        ("/x", Some("text/plain"), form),
        ("/x", JSON, json),
        ("/x", None, json),
        ("/x", Some("multipart/form-data; boundary=x"), multipart),
        ("/x?status=hi&media_ids[]=1&media_ids[]=2&source[privacy]=direct", None, ""),
    ];
    for (uri, kind, body) in cases {
        let params = read(uri, kind, body.as_bytes()).await.unwrap();
        assert_eq!(params.text("status").as_deref(), Some("hi"), "{kind:?}");
        assert_eq!(params.ids("media_ids"), [Id(1), Id(2)], "{kind:?}");
        let source = params.child("source").unwrap();
        assert_eq!(source.text("privacy").as_deref(), Some("direct"), "{kind:?}");
    }
}

#[tokio::test]
async fn the_body_of_a_get_counts_when_it_says_what_it_is() {
    for (kind, body, expected) in [
        (JSON, r#"{"id":["7"]}"#, vec![Id(7)]),
        (FORM, "id[]=7", vec![Id(1), Id(7)]),
        (None, r#"{"id":["7"]}"#, vec![Id(1)]),
        (Some("image/png"), "x", vec![Id(1)]),
    ] {
        let mut request = HttpRequest::get("/x?id[]=1");
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request.body(Body::from(body)).unwrap();
        let params = Params::from_request(request, &()).await.unwrap();
        assert_eq!(params.ids("id"), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn the_body_wins_over_the_query() {
    let params = read("/x?a=1&b=2", JSON, br#"{"a":"3"}"#).await.unwrap();
    assert_eq!((params.text("a").unwrap(), params.text("b").unwrap()), ("3".into(), "2".into()));
}

#[tokio::test]
async fn booleans_are_mastodons() {
    let form = "a=0&b=f&c=F&d=false&e=FALSE&f=off&g=OFF&h=&i=true&j=1&k=no";
    let params = read("/x", FORM, form.as_bytes()).await.unwrap();
    for key in ["a", "b", "c", "d", "e", "f", "g"] {
        assert_eq!(params.flag(key), Some(false), "{key}");
    }
    assert_eq!((params.flag("h"), params.flag("missing")), (None, None));
    for key in ["i", "j", "k"] {
        assert_eq!(params.flag(key), Some(true), "{key}");
    }
    let json = read("/x", JSON, br#"{"a":false,"b":0,"c":true,"d":null,"e":1}"#).await.unwrap();
    let flags: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|key| json.flag(key)).collect();
    assert_eq!(flags, [Some(false), Some(false), Some(true), None, Some(true)]);
}

#[tokio::test]
async fn lists_of_trees_come_in_three_spellings() {
    let cases = [
        (FORM, "f[1][name]=b&f[0][name]=a&f[10][name]=c"),
        (FORM, "f[][name]=a&f[][name]=b&f[][name]=c"),
        (JSON, r#"{"f":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#),
        (JSON, r#"{"f":{"0":{"name":"a"},"2":{"name":"b"},"10":{"name":"c"}}}"#),
    ];
    for (kind, body) in cases {
        let params = read("/x", kind, body.as_bytes()).await.unwrap();
        let names: Vec<_> =
            params.children("f").unwrap().iter().map(|field| field.text("name").unwrap()).collect();
        assert_eq!(names, ["a", "b", "c"], "{body}");
    }
}

#[tokio::test]
async fn a_scalar_is_no_list() {
    let params = read("/x", FORM, b"fields_attributes=undefined&ids=1").await.unwrap();
    assert_eq!(params.children("fields_attributes"), None);
    assert_eq!(params.list("fields_attributes"), None);
    assert_eq!(params.ids("ids"), [Id(1)]);
}

#[tokio::test]
async fn bad_bodies_are_refused_with_their_reason() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(20_000));
    let many = "a=1&".repeat(1001);
    let cases: [(Option<&str>, &[u8], ProblemKind); 10] = [
        (JSON, b"{", ProblemKind::Malformed),
        (JSON, b"[1]", ProblemKind::Malformed),
        (JSON, b"{\"a\":\"\xff\"}", ProblemKind::Malformed),
        (JSON, deep.as_bytes(), ProblemKind::Malformed),
        (JSON, wide.as_bytes(), ProblemKind::Malformed),
        (FORM, b"a=\xff", ProblemKind::Malformed),
        (FORM, b"a=%ff", ProblemKind::Malformed),
        (FORM, many.as_bytes(), ProblemKind::Malformed),
        (Some("multipart/form-data"), b"x", ProblemKind::Malformed),
        (Some("application/xml"), b"<a/>", ProblemKind::UnsupportedMediaType),
    ];
    for (kind, body, expected) in cases {
        let problem = read("/x", kind, body).await.expect_err("is refused");
        assert_eq!(problem.kind, expected, "{kind:?}");
    }
    assert!(read("/x?a=%ff", None, b"").await.is_err());
}

#[tokio::test]
async fn files_are_kept_apart_from_text() {
    let body =
        b"--x\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n\
        --x\r\nContent-Disposition: form-data; name=\"header\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
    let params = read("/x", Some("multipart/form-data; boundary=x"), body).await.unwrap();
    assert_eq!(&params.file("avatar").unwrap().bytes[..], b"\x89PNG");
    assert!(params.file("header").is_none() && !params.has("avatar"));
}
