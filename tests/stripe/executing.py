"""A call that has arrived: its key, its parameters, its result.

https://docs.stripe.com/api/idempotent_requests: the first result of a call whose execution
began is kept under its key, whether it succeeded or failed, and answered again; a key with
other parameters is refused, and so is one that is in use.
"""

import hashlib
import json

from tests.stripe.account import Account, Call, Kept
from tests.stripe.forms import tree_of, validated
from tests.stripe.operations import Operation
from tests.stripe.reading import expanded
from tests.stripe.refusals import Json, Refused, broken, invalid, key_in_use, key_reused
from tests.stripe.wire import Answer, Request

KEY_MAX = 255


class Arrived:
    """One request to one operation; `begin`, then `finish` unless that answered already."""

    def __init__(
        self, account: Account, operation: Operation, object_id: str, request: Request
    ) -> None:
        self.account = account
        self.operation = operation
        self.object_id = object_id
        self.form = request.body.decode() if request.method == "POST" else request.query
        self.key = request.headers.get("idempotency-key") if request.method == "POST" else None
        self.version = request.headers.get("stripe-version", "")
        self.path = request.path
        self.request_id = ""

    def begin(self) -> Answer | None:
        """Take the key; the answer, if it is known already."""
        account = self.account
        with account.lock:
            self.request_id = account.new_id("request")
            try:
                return self._replayed()
            except Refused as refusal:
                return self._answer(refusal.status, refusal.body)

    def _replayed(self) -> Answer | None:
        if self.key is None:
            return None
        if not 0 < len(self.key) <= KEY_MAX:
            raise invalid("Idempotency keys have 1 to 255 characters.", kept=False)
        print_ = hashlib.sha256("&".join(sorted(self.form.split("&"))).encode()).hexdigest()
        this = (self.operation.method, self.path, print_)
        kept = self.account.kept.get(self.key)
        if kept is None:
            self.account.kept[self.key] = Kept(of=this)
            return None
        if kept.of[:2] != this[:2]:
            raise key_reused(
                "Keys for idempotent requests can only be used for the same endpoint they were"
                f" first used for ('{kept.of[1]}' vs '{this[1]}')."
            )
        if kept.of != this:
            raise key_reused(
                "Keys for idempotent requests can only be used with the same parameters they"
                f" were first used with. Try using a key other than '{self.key}' if you meant"
                " to execute a different request."
            )
        if kept.answer is None:
            raise key_in_use(self.key)
        return Answer(
            kept.answer.status,
            kept.answer.body,
            {**kept.answer.headers, "idempotent-replayed": "true"},
        )

    def finish(self) -> Answer:
        """Do it."""
        account = self.account
        with account.lock:
            account.key_now, account.request_now = self.key, self.request_id
            try:
                answer, is_kept = self._answer(200, self._run()), True
            except Refused as refusal:
                answer, is_kept = self._answer(refusal.status, refusal.body), refusal.kept
            finally:
                account.key_now = account.request_now = None
            self._keep(answer if is_kept else None)
            return answer

    def fail(self, status: int) -> Answer:
        """Answer with an error of the server instead, which is kept like any other result."""
        with self.account.lock:
            answer = self._answer(status, broken(status).body)
            self._keep(answer)
            return answer

    def _keep(self, answer: Answer | None) -> None:
        if self.key is None:
            return
        if answer is None:
            del self.account.kept[self.key]
        else:
            self.account.kept[self.key].answer = answer

    def _run(self) -> Json:
        tree = tree_of(self.form)
        tree.pop("key", None)
        self.account.calls.append(
            Call(
                name=self.operation.name,
                path=self.path,
                params=tree,
                key=self.key,
                version=self.version,
            )
        )
        if "payment_method_types" in tree and "intents" in self.path:
            raise invalid(
                "`payment_method_types` is no longer supported. Use"
                " `allowed_payment_method_types`, or methods that are chosen dynamically.",
                code="payment_method_types_no_longer_supported",
                param="payment_method_types",
                kept=False,
            )
        params = validated(self.operation.params, tree)
        paths = params.pop("expand", [])
        told = self.operation.run(self.account, params, self.object_id)
        return expanded(self.account, told, paths)

    def _answer(self, status: int, body: Json) -> Answer:
        headers = {
            "content-type": "application/json",
            "access-control-allow-origin": "*",
            "request-id": self.request_id,
        }
        if self.key is not None:
            headers |= {"idempotency-key": self.key, "original-request": self.request_id}
        if status >= 500:
            headers["stripe-should-retry"] = "false"
        return Answer(status, json.dumps(body).encode(), headers)
