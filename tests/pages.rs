//! Every page, rendered with friendly and hostile content.

#[path = "../examples/pages/own.rs"]
mod own;
#[path = "../examples/pages/sample.rs"]
mod sample;

use waxwing::edge::web::view::Theme;

/// Calls `check` with the name and HTML of every page.
fn each_page(check: impl Fn(&str, &str)) {
    let pages = sample::pages(Theme::Dark);
    assert!(pages.len() > 25);
    for (name, html) in pages {
        check(name, &html);
    }
}

#[test]
fn foreign_text_never_becomes_markup() {
    each_page(|name, html| {
        assert!(!html.contains("<script>"), "{name}");
        assert!(!html.contains("<img src=x"), "{name}");
    });
}

#[test]
fn pages_need_nothing_that_the_content_policy_refuses() {
    each_page(|name, html| {
        for refused in [" style=", " onclick=", " onload=", "<style", "javascript:", "http://"] {
            assert!(!html.contains(refused), "{name} has {refused}");
        }
        assert_eq!(html.matches("<script").count(), 1, "{name}");
    });
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    each_page(|name, html| {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            if form.contains(r#"method="post""#) {
                assert!(form.contains(r#"name="csrf" value="csrf-token""#), "{name}: {form}");
            }
        }
    });
}

#[test]
fn pages_have_landmarks_one_heading_and_a_way_past_the_menus() {
    each_page(|name, html| {
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert!(html.contains(r##"href="#main""##), "{name}");
        assert!(html.contains(r#"<html lang="en" data-theme="dark">"#), "{name}");
        assert!(
            !html.contains("<img alt") && html.matches("<img").count() == html.matches(" alt=").count(),
            "{name}"
        );
    });
}

#[test]
fn ids_are_unique() {
    each_page(|name, html| {
        let mut ids: Vec<&str> =
            html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}");
    });
}
