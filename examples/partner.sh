#!/usr/bin/env bash
# A complete partner: a token by client credentials, then one code for one of its customers. Asked again for the same
# customer, it is the same code.
#
#   export CODEWELL_URL=http://127.0.0.1:8080 PARTNER=client-id:client-secret
#   examples/partner.sh CAMPAIGN CUSTOMER [SUB_ID]     a code for a customer, by your own reference
#   examples/partner.sh --pull CAMPAIGN COUNT          many codes, streamed as CSV, then acknowledged
#   examples/partner.sh --events                       what became of your codes
set -euo pipefail

: "${CODEWELL_URL:?the address of the gateway}" "${PARTNER:?client-id:client-secret}"

field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
token=$(curl -sf "$CODEWELL_URL/oauth2/token" -u "$PARTNER" -d grant_type=client_credentials | field access_token)
call() { curl -s -H "Authorization: Bearer $token" "$@"; }
post() { # path body
  call "$CODEWELL_URL$1" -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)-$RANDOM" -d "$2"
}

case ${1:-} in
  --pull)
    pull=$(post /v1/allocations "{\"campaign\":\"$2\",\"count\":$3}")
    id=$(field id <<<"$pull")
    [ -n "$id" ] || { echo "$pull"; exit 1; }
    call "$CODEWELL_URL/v1/allocations/$id/codes?format=csv"
    post "/v1/allocations/$id/ack" "{\"count\":$(field count <<<"$pull")}" >&2
    ;;
  --events) call "$CODEWELL_URL/v1/events" ;;
  *)
    sub=${3:+,\"sub_id\":\"$3\"}
    post /v1/issuances "{\"campaign\":\"$1\",\"customer\":{\"reference\":\"$2\"}$sub}"
    ;;
esac
echo
