#!/usr/bin/env bash
# A complete till: asks whether a code is good, takes it once, and can give it back. Needs only curl.
#   CODEWELL_URL=http://127.0.0.1:8080 TILL_KEY=cwk_till_… examples/till.sh CODE [STORE] [AMOUNT_IN_CENTS]
#   … examples/till.sh --undo REDEMPTION_ID
set -euo pipefail
: "${CODEWELL_URL:?the address of the gateway}" "${TILL_KEY:?a till key: codewell keys create till --name \"Store 17\"}"

# One number a sale: sent again after a time-out, it brings the first answer, never a second redemption.
sale=${SALE:-$(date +%s)-$RANDOM$RANDOM}

call() { # PATH BODY: prints the answer, then its status on a line of its own
  curl -sS --retry 3 --max-time 10 -X POST "$CODEWELL_URL$1" -d "$2" -w '\n%{http_code}' \
    -H "Authorization: Bearer $TILL_KEY" -H 'Content-Type: application/json' -H "Idempotency-Key: $sale"
}
field() { # NAME: the text of a field of the JSON on standard input
  sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1
}

if [ "${1:-}" = --undo ]; then
  call "/v1/redemptions/${2:?a redemption id}/rollback" '{"reason":"order_cancelled"}' | head -n 1
  exit
fi

asked="{\"code\":\"${1:?a code}\",\"store\":\"${2:-store-17}\",\"amount\":${3:-2500},\"currency\":\"USD\"}"
answer=$(call /v1/codes/validate "$asked")
case $answer in
  *'"valid":true'*) echo "good: $(printf %s "$answer" | field title)" ;;
  *) echo "refused: $(printf %s "$answer" | field reason)$(printf %s "$answer" | field detail)"; exit 1 ;;
esac

sold="{\"code\":\"$1\",\"store\":\"${2:-store-17}\",\"amount\":${3:-2500},\"currency\":\"USD\",\"order\":\"$sale\"}"
answer=$(call /v1/codes/redeem "$sold")
case $answer in
  *$'\n'201) echo "taken: $(printf %s "$answer" | field redemption_id)" ;;
  *) echo "refused: $(printf %s "$answer" | field code)"; exit 1 ;;
esac
