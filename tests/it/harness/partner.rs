//! Partners of tests: granted, authenticated, with a token in hand.

use super::House;
use codewell::domain::ids::PartnerId;
use codewell::domain::partner::{ClientId, Grant, PartnerDoc, PartnerScope};
use codewell::engine::{Engine, FailureLog};
use codewell::http::oauth::TokenLimits;
use codewell::http::partner::PartnerDoor;

/// A partner with every scope.
#[derive(Debug, Clone)]
pub(crate) struct TestPartner {
    pub(crate) id: PartnerId,
    pub(crate) client: ClientId,
    /// Its client secret.
    pub(crate) secret: String,
    /// An access token for every scope.
    pub(crate) token: String,
}

impl House {
    /// Makes a partner that may give codes of some campaigns, and gets it a token.
    pub(crate) async fn partner(&self, client: &str, grants: &[Grant]) -> TestPartner {
        let client = ClientId::parse(client).expect("a client id");
        let scopes = PartnerScope::ALL.to_vec();
        let doc = PartnerDoc { name: format!("Partner {client}"), scopes, ..PartnerDoc::default() };
        let doc = PartnerDoc { grants: grants.to_vec(), ..doc };
        let made = self.engine.create_partner(client.clone(), doc).await.expect("it is made");
        let secret = self.engine.add_partner_secret(&client, "test").await.expect("a secret").expose().to_owned();
        let token = self.token(client.as_str(), &secret).await;
        TestPartner { id: made.id, client, secret, token }
    }

    /// An access token for all that the partner of a client id may do, by a secret of its own.
    pub(crate) async fn token_of(&self, client: &str) -> String {
        let id = ClientId::parse(client).expect("a client id");
        let secret = self.engine.add_partner_secret(&id, "token_of").await.expect("a secret").expose().to_owned();
        self.token(client, &secret).await
    }

    /// An access token for all that a partner may do.
    pub(crate) async fn token(&self, client: &str, secret: &str) -> String {
        let proved = self.engine.client_by_secret(client, secret).await.expect("it is hers");
        let scopes = proved.scopes().to_vec();
        self.engine.access_token(&proved, scopes).await.expect("a token").expose().to_owned()
    }
}

/// The doors of partners without limits; why calls are refused is not kept.
pub(crate) fn partner_door(engine: &Engine) -> PartnerDoor {
    let (failures, _) = FailureLog::open(engine);
    PartnerDoor { failures, tokens: TokenLimits::new(0, 0) }
}
