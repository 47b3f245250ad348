//! What mails say, as plain text and as a page.

use askama::Template;

/// A mail's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// In one line.
    pub subject: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// What can be done: label and address.
    pub link: Option<(String, String)>,
    /// What comes after that.
    pub after: String,
}

impl Content {
    /// With one paragraph.
    pub fn new(subject: impl Into<String>, paragraph: impl Into<String>) -> Content {
        Content {
            subject: subject.into(),
            paragraphs: vec![paragraph.into()],
            link: None,
            after: String::new(),
        }
    }

    /// And another one.
    #[must_use]
    pub fn and(mut self, paragraph: impl Into<String>) -> Content {
        self.paragraphs.push(paragraph.into());
        self
    }

    /// With what can be done.
    #[must_use]
    pub fn link(mut self, label: &str, address: impl Into<String>) -> Content {
        self.link = Some((label.to_owned(), address.into()));
        self
    }

    /// With a last word.
    #[must_use]
    pub fn after(mut self, text: impl Into<String>) -> Content {
        self.after = text.into();
        self
    }
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    content: &'a Content,
    name: &'a str,
    origin: &'a str,
}

/// The mail as plain text, then as a page. `name` is how the person is
/// greeted, `origin` the server that writes.
pub fn render(content: &Content, name: &str, origin: &str) -> (String, String) {
    let page = Html { content, name, origin }.render().unwrap_or_default();
    (text(content, name, origin), page)
}

fn text(content: &Content, name: &str, origin: &str) -> String {
    let mut parts = vec![format!("Hello {name},")];
    parts.extend(content.paragraphs.iter().cloned());
    parts.extend(content.link.iter().map(|(label, address)| format!("{label}:\n{address}")));
    parts.extend(Some(content.after.clone()).filter(|after| !after.is_empty()));
    parts.push(format!("-- \n{origin}"));
    parts.join("\n\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_reasons_are_text_and_nothing_else() {
        let content = Content::new("a", "<script>alert(1)</script>").link("Go", "https://a.example/?a=1&b=2");
        let (text, html) = render(&content, "<b>ana</b>", "https://a.example");
        assert!(text.contains("<script>") && text.starts_with("Hello <b>ana</b>,"));
        assert!(!html.contains("<script>") && !html.contains("<b>ana"), "{html}");
        assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"), "{html}");
        assert!(text.contains("Go:\nhttps://a.example/?a=1&b=2\n"));
    }
}
