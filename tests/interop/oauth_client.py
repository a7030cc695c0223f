"""A partner written with Authlib: finds the authorization server, gets a token by each method, asks for a code.

Reads one JSON object: base_url, client_id, client_secret, private_jwk, campaign. Writes one: what it got.
"""

import json
import sys
import time

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey


def session(given, method, secret):
    return OAuth2Session(
        given["client_id"],
        secret,
        scope="codes:issue codes:read",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )


def by_secret(given, server):
    client = session(given, "client_secret_basic", given["client_secret"])
    client.fetch_token(server["token_endpoint"], grant_type="client_credentials")
    return client


def by_key(given, server):
    client = session(given, "private_key_jwt", OKPKey.import_key(given["private_jwk"]))
    prove(client, server)
    client.fetch_token(server["token_endpoint"], grant_type="client_credentials")
    return client


def prove(client, server):
    """Gives the client an assertion for its next call: the library says the same jti again in all of one method."""
    # What the library calls token endpoint is only the audience: ours is the issuer.
    claims = {"exp": int(time.time()) + 50}
    client.register_client_auth_method(PrivateKeyJWT(server["issuer"], claims=claims, alg="EdDSA"))


def verified(token, server):
    keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=10).json())
    read = jwt.decode(token, keys, algorithms=["EdDSA"])
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": server["issuer"]},
        aud={"essential": True, "value": "partner-api"},
        exp={"essential": True},
    )
    rules.validate(read.claims)
    return {"typ": read.header["typ"], "sub": read.claims["sub"], "scope": read.claims["scope"]}


def used(client, given, name):
    base = given["base_url"]
    campaigns = client.get(f"{base}/v1/campaigns", timeout=10)
    body = {"campaign": given["campaign"], "customer": {"reference": f"interop-{name}"}}
    issued = client.post(f"{base}/v1/issuances", json=body, headers={"Idempotency-Key": name}, timeout=10)
    return {
        "campaigns": [one["id"] for one in campaigns.json()["data"]],
        "status": issued.status_code,
        "code": issued.json().get("code"),
    }


def main():
    given = json.load(sys.stdin)
    base = given["base_url"]
    server = requests.get(f"{base}/.well-known/oauth-authorization-server", timeout=10).json()
    got = {"server": server}
    for name, client in (("secret", by_secret(given, server)), ("key", by_key(given, server))):
        got[name] = {"claims": verified(client.token["access_token"], server), **used(client, given, name)}
        prove(client, server)
        client.revoke_token(server["revocation_endpoint"], token=client.token["access_token"])
        got[name]["after"] = client.get(f"{base}/v1/campaigns", timeout=10).status_code
    print(json.dumps(got))


main()
