use super::*;
use crate::domain::secret;
use crate::domain::testing::World;
use crate::model::tables::AUTHORIZATION_CODE;

fn request() -> AuthorizeRequest {
    AuthorizeRequest {
        response_type: "code".into(),
        client_id: "client".into(),
        redirect_uri: OUT_OF_BAND.into(),
        scope: "read".into(),
        ..AuthorizeRequest::default()
    }
}

async fn registered(world: &World, scopes: &'static str) {
    world
        .write(move |tx, moment| {
            let new = NewApp {
                name: "app".into(),
                website: None,
                redirect_uris: vec![OUT_OF_BAND.into()],
                scopes: scopes::parse(scopes).expect("exist"),
                client_id: "client".into(),
                secret_digest: secret::digest("secret"),
            };
            register(tx, moment, &new)
        })
        .await
        .unwrap();
}

/// Allows and trades; gives the token's scopes.
async fn log_in(
    world: &World,
    account: Id,
    n: usize,
    request: AuthorizeRequest,
) -> Result<Scopes, AuthorizeError> {
    let code = secret::digest(&format!("code {n}"));
    world.write(move |tx, moment| allow(tx, moment, account, code, &request)).await?;
    let offer = Trade {
        client_id: "client".into(),
        client_secret: Some("secret".into()),
        code_digest: code,
        redirect_uri: OUT_OF_BAND.into(),
        code_verifier: None,
    };
    let digest = secret::digest(&format!("token {n}"));
    let traded = world.write(move |tx, moment| trade(tx, moment, &offer, digest)).await;
    Ok(traded.unwrap().unwrap().scopes)
}

#[tokio::test]
async fn the_oldest_tokens_give_way() {
    let world = World::new();
    registered(&world, "read").await;
    let ana = world.account(None).await;
    for n in 0..TOKENS_MAX + 3 {
        log_in(&world, ana, n, request()).await.unwrap();
    }
    let left = world.read(move |tx| tokens(tx, ana)).await;
    assert_eq!(left.len(), TOKENS_MAX);
    assert_eq!(left.last().unwrap().0, secret::digest("token 3"));
}

#[tokio::test]
async fn an_app_cannot_pile_up_tokens_of_its_own() {
    let world = World::new();
    registered(&world, "read").await;
    let ana = world.account(None).await;
    log_in(&world, ana, 0, request()).await.unwrap();
    for n in 0..TOKENS_MAX + 3 {
        let digest = secret::digest(&format!("own {n}"));
        let issue = move |tx: &mut WriteTx<'_>, moment: &mut Moment| {
            client_token(tx, moment, "client", "secret", "read", digest)
        };
        world.write(issue).await.unwrap();
    }
    let all = world.read(|tx| tx.scan(TOKEN, Scan::all())).await;
    assert_eq!(all.len(), TOKENS_MAX + 1, "and none of a person's");
    assert_eq!(world.read(move |tx| tokens(tx, ana)).await.len(), 1);
}

#[tokio::test]
async fn codes_that_nobody_trades_do_not_pile_up() {
    let world = World::new();
    registered(&world, "read").await;
    let ana = world.account(None).await;
    for n in 0..10u8 {
        world.write(move |tx, moment| allow(tx, moment, ana, [n; 32], &request())).await.unwrap();
        world.clock.advance(CODE_LIFETIME);
    }
    let codes = world.read(|tx| tx.scan(AUTHORIZATION_CODE, Scan::all())).await;
    assert_eq!(codes.len(), 1);
}

#[tokio::test]
async fn scopes_for_administration_need_the_role() {
    let world = World::new();
    registered(&world, "read admin:read").await;
    let (ana, mia) = (world.account(None).await, world.account(None).await);
    world
        .write(move |tx, _| crate::domain::user::set_role(tx, mia, crate::model::Role::Moderator))
        .await
        .unwrap();
    let wide = AuthorizeRequest { scope: "read admin:read".into(), ..request() };
    assert_eq!(log_in(&world, ana, 1, wide.clone()).await.unwrap(), ["read"]);
    assert_eq!(log_in(&world, mia, 2, wide).await.unwrap(), ["read", "admin:read"]);
    let only = AuthorizeRequest { scope: "admin:read".into(), ..request() };
    assert!(matches!(log_in(&world, ana, 3, only).await, Err(AuthorizeError::Scope)));
}

#[tokio::test]
async fn a_code_that_is_shown_again_ends_its_token() {
    let world = World::new();
    registered(&world, "read").await;
    let ana = world.account(None).await;
    for n in 0..2 {
        log_in(&world, ana, n, request()).await.unwrap();
    }
    let again = Trade {
        client_id: "client".into(),
        client_secret: Some("secret".into()),
        code_digest: secret::digest("code 0"),
        redirect_uri: OUT_OF_BAND.into(),
        code_verifier: None,
    };
    for _ in 0..2 {
        let offer = again.clone();
        let refused = world.write(move |tx, moment| trade(tx, moment, &offer, [9; 32])).await;
        assert!(matches!(refused, Ok(Err(GrantError::Grant)) | Err(GrantError::Grant)));
    }
    let left = world.read(move |tx| tokens(tx, ana)).await;
    let left: Vec<_> = left.into_iter().map(|(digest, _)| digest).collect();
    assert_eq!(left, [secret::digest("token 1")], "the other log-in is untouched");
}
