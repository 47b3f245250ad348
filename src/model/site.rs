//! The names under which this server is known, and the addresses of its own
//! things. An address, once given out, is for ever.

use super::{Account, Attachment, AttachmentKind, Picture, ProxyKey};
use crate::base::Id;

/// The server's public names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The part after the @ in handles, lower case, with `:port` if it is
    /// not the scheme's own.
    pub domain: String,
    /// Scheme, host and port, without a final slash.
    pub origin: String,
    /// Signs the addresses under which files of others are passed on;
    /// without it they are given out as they are.
    pub proxy: Option<ProxyKey>,
    /// Only servers that are explicitly welcome are federated with.
    pub is_by_allowlist: bool,
    /// How mails leave; `None` where none do.
    pub mail: Option<MailRoute>,
}

/// How mails leave this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRoute {
    /// The mail server, by which its lane is named.
    pub host: String,
    /// Whether those who sign up have to confirm their address. A sandbox
    /// does not ask that.
    pub confirms: bool,
}

impl Site {
    /// A site at `scheme://authority`.
    pub fn new(scheme: &str, authority: &str) -> Site {
        let authority = authority.to_ascii_lowercase();
        Site {
            origin: format!("{scheme}://{authority}"),
            domain: authority,
            proxy: None,
            is_by_allowlist: false,
            mail: None,
        }
    }

    /// Whether the origin is HTTPS, so that cookies may be `Secure`.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// Whether an address is one of ours. Callers canonicalise it first.
    pub fn owns(&self, uri: &str) -> bool {
        uri.strip_prefix(&self.origin)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    }

    /// The id of a local account's actor. Numeric, so that a rename keeps it.
    pub fn actor(&self, account: Id) -> String {
        format!("{}/ap/users/{account}", self.origin)
    }

    /// The account id in one of our actor ids.
    pub fn actor_id(&self, uri: &str) -> Option<Id> {
        uri.strip_prefix(&self.origin)?.strip_prefix("/ap/users/")?.parse().ok()
    }

    /// The actor that stands for the server itself.
    pub fn instance_actor(&self) -> String {
        format!("{}/actor", self.origin)
    }

    /// The inbox that all local accounts share.
    pub fn shared_inbox(&self) -> String {
        format!("{}/inbox", self.origin)
    }

    /// The id of a local post's object.
    pub fn status(&self, author: Id, status: Id) -> String {
        format!("{}/ap/users/{author}/statuses/{status}", self.origin)
    }

    /// The author and post ids in one of our object ids.
    pub fn status_ids(&self, uri: &str) -> Option<(Id, Id)> {
        let rest = uri.strip_prefix(&self.origin)?.strip_prefix("/ap/users/")?;
        let (author, status) = rest.split_once("/statuses/")?;
        Some((author.parse().ok()?, status.parse().ok()?))
    }

    /// The id of an activity that has no object of its own here, such as a
    /// Follow, Like or Accept.
    pub fn activity(&self, actor: Id, activity: Id) -> String {
        format!("{}/ap/users/{actor}/activities/{activity}", self.origin)
    }

    /// The page of a local account.
    pub fn profile(&self, username: &str) -> String {
        format!("{}/@{username}", self.origin)
    }

    /// The page of a local post. Its last segment is the API id, because
    /// clients read it from there.
    pub fn status_page(&self, username: &str, status: Id) -> String {
        format!("{}/@{username}/{status}", self.origin)
    }

    /// A picture in our media folder.
    pub fn media(&self, name: &str) -> String {
        format!("{}/media/{name}", self.origin)
    }

    /// Where the file of an attachment is: here, or on its own server.
    pub fn attachment(&self, attachment: &Attachment) -> Option<String> {
        if let Some(name) = &attachment.file {
            return Some(self.media(name));
        }
        let url = attachment.remote_url.as_ref()?;
        // What is no picture, film or sound is only linked to.
        let is_shown = attachment.kind != AttachmentKind::Unknown;
        Some(if is_shown { self.passed_on(url) } else { url.clone() })
    }

    /// Where a picture, film or sound of another server is read through us.
    pub fn passed_on(&self, url: &str) -> String {
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        match &self.proxy {
            Some(key) if is_web && !self.owns(url) => {
                let (mac, address) = key.sign(url);
                format!("{}/media/proxy/{mac}/{address}", self.origin)
            }
            _ => url.to_owned(),
        }
    }

    /// The address behind the last two segments of [`Site::passed_on`], if
    /// they are ours.
    pub fn proxied(&self, mac: &str, address: &str) -> Option<String> {
        self.proxy.as_ref()?.open(mac, address)
    }

    /// Where a smaller picture of an attachment is. Of foreign pictures it is
    /// the picture itself.
    pub fn attachment_preview(&self, attachment: &Attachment) -> Option<String> {
        let is_remote_picture = attachment.kind == AttachmentKind::Image && attachment.file.is_none();
        let local = attachment.preview.as_ref().map(|name| self.media(name));
        local.or_else(|| is_remote_picture.then(|| self.attachment(attachment)).flatten())
    }

    /// The small picture of an account, or the one for those without.
    pub fn avatar(&self, account: &Account) -> String {
        self.picture(account.avatar.as_ref(), "avatar.png")
    }

    /// The wide picture of an account, or the one for those without.
    pub fn header(&self, account: &Account) -> String {
        self.picture(account.header.as_ref(), "header.jpg")
    }

    /// Where a picture is.
    pub fn picture_url(&self, picture: &Picture) -> String {
        match picture {
            Picture::Local(name) => self.media(name),
            Picture::Remote(url) => self.passed_on(url),
        }
    }

    fn picture(&self, picture: Option<&Picture>, default: &str) -> String {
        picture.map_or_else(|| format!("{}/assets/{default}", self.origin), |p| self.picture_url(p))
    }

    /// The page of a local account's posts with a hashtag.
    pub fn tagged_page(&self, username: &str, tag: &str) -> String {
        let tag = percent_encoding::utf8_percent_encode(tag, percent_encoding::NON_ALPHANUMERIC);
        format!("{}/@{username}/tagged/{tag}", self.origin)
    }

    /// The leave (FEP-044f) of an account here that a post quotes it.
    pub fn quote_stamp(&self, quoted: Id, quoting: Id) -> String {
        format!("{}/quote_authorizations/{quoting}", self.actor(quoted))
    }

    /// The page of a hashtag.
    pub fn tag_page(&self, tag: &str) -> String {
        format!(
            "{}/tags/{}",
            self.origin,
            percent_encoding::utf8_percent_encode(tag, percent_encoding::NON_ALPHANUMERIC)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_told_from_look_alikes() {
        let site = Site::new("https", "Social.Example");
        assert!(site.owns("https://social.example/ap/users/1"));
        assert!(!site.owns("https://social.example.evil/ap/users/1"));
        assert!(!site.owns("http://social.example/"));
        assert_eq!(site.actor_id(&site.actor(Id(7))), Some(Id(7)));
        assert_eq!(site.actor_id("https://social.example/ap/users/7/statuses/8"), None);
        assert_eq!(site.status_ids(&site.status(Id(7), Id(8))), Some((Id(7), Id(8))));
    }
}
