"""The steps, in order. Each does one thing, and raises NotAsPromisedError when the platform did another."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.demo.client import Answer, Client, NotAsPromisedError
from local.demo.whole import Visit, WholeStory

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.25


@dataclass
class Story:
    """One customer's life, from creation to a rejection by the mainframe and out of it again."""

    client: Client
    api: str
    control: str
    function_key: str
    _run: str = field(default_factory=lambda: secrets.token_hex(4), init=False)
    _url: str = field(default="", init=False)
    _id: str = field(default="", init=False)
    _etags: list[str] = field(default_factory=list[str], init=False)
    _faults_set: bool = field(default=False, init=False)

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return the steps with their titles."""
        return [
            ("The app is up, and says so to anybody", self._is_up),
            ("A customer is created", self._create),
            ("The same request again, with its Idempotency-Key: the first answer, no second customer", self._repeat),
            ("The same key for something else is refused", self._misuse_key),
            ("The customer is read", self._read),
            ("Read again with the ETag: not modified, no body", self._read_unchanged),
            ("A change without If-Match is refused", self._change_blindly),
            ("A change of the version that was read", self._change),
            ("A change of a version that is no longer the newest is refused", self._change_stale),
            ("A mistake is named, and nothing is written", self._mistake),
            ("Within seconds the mainframe holds the newest version", self._reaches_mainframe),
            ("The private API needs the function key", self._needs_key),
            ("Who changed what is on record", self._changes),
            ("The mainframe goes down; a change is accepted all the same", self._change_while_down),
            ("Its delivery says that it is being retried, and why", self._is_retried),
            ("The mainframe comes back, and gets the change", self._comes_back),
            ("The mainframe rejects a value for good; the change is kept here", self._change_to_rejected),
            ("The rejection stands on the customer's delivery, with its reason", self._is_rejected),
            ("A corrected value goes through", self._correct),
            ("The mainframe applied every version at most once, in increasing order", self._journal_increases),
            *WholeStory(self._visit).steps(),
            ("Storage, queues and mainframe are well", self._health),
        ]

    def tidy(self) -> None:
        """Put the mainframe back as it was, also after a step that failed."""
        if self._faults_set:
            self.client.ask("DELETE", f"{self.control}/faults", quietly=True)

    def _visit(self) -> Visit:
        return Visit(self.client, self.api, self._id, self._key())

    def _is_up(self) -> None:
        answer = self.client.ask("GET", f"{self.api}/api/health").require(200)
        _same("status", answer.json().get("status"), "ok")

    def _create(self) -> None:
        answer = self._post().require(201)
        self._id = str(answer.json().get("id"))
        self._url = f"{self.api}/api/v1/customers/{self._id}"
        self._etags.append(answer.header("ETag"))
        _same("Location", answer.header("Location"), f"/api/v1/customers/{self._id}")
        _same("version", answer.json().get("version"), 1)

    def _repeat(self) -> None:
        answer = self._post().require(201)
        _same("id", answer.json().get("id"), self._id)
        _same("Idempotency-Replayed", answer.header("Idempotency-Replayed"), "true")

    def _misuse_key(self) -> None:
        self._post(lastName="Byron").require(422)

    def _read(self) -> None:
        answer = self.client.ask("GET", self._url).require(200)
        _same("ETag", answer.header("ETag"), self._etags[-1])
        _same("lastName", answer.json().get("lastName"), "Lovelace")

    def _read_unchanged(self) -> None:
        answer = self.client.ask("GET", self._url, headers={"If-None-Match": self._etags[-1]}).require(304)
        _same("body", answer.text, "")

    def _change_blindly(self) -> None:
        self.client.ask("PATCH", self._url, body={"title": "Lady"}).require(428)

    def _change(self) -> None:
        self._patch(title="Lady")

    def _change_stale(self) -> None:
        self.client.ask("PATCH", self._url, body={"title": "Miss"}, headers={"If-Match": self._etags[0]}).require(412)
        unchanged = self.client.ask("GET", self._url, quietly=True)
        _same("title", unchanged.json().get("title"), "Lady")

    def _mistake(self) -> None:
        answer = self.client.ask("PATCH", self._url, body={"email": "no address"}, headers=self._newest()).require(422)
        errors = answer.json().get("errors") or [{}]
        _same("pointer of the error", errors[0].get("pointer"), "/email")

    def _reaches_mainframe(self) -> None:
        self._wait_for("inSync")
        held = self.client.ask("GET", f"{self.control}/master/{self._id}").require(200).json()
        _same("version at the mainframe", held.get("version"), len(self._etags))
        _same("TITLE at the mainframe", held.get("record", {}).get("TITLE"), "Lady")

    def _needs_key(self) -> None:
        answer = self.client.ask("GET", self._private("")).require(401)
        _same("body", answer.text, "")

    def _changes(self) -> None:
        answer = self.client.ask("GET", self._private("/changes"), headers=self._key()).require(200)
        _same("versions", [item.get("version") for item in answer.json().get("items", [])], [2, 1])

    def _change_while_down(self) -> None:
        self._set_faults({"kind": "refuse"})
        self._patch(title="Countess")

    def _is_retried(self) -> None:
        status = self._wait_for("retrying", "parked")
        _same("acknowledgedVersion", status.get("acknowledgedVersion"), len(self._etags) - 1)
        if not status.get("lastError"):
            raise NotAsPromisedError("expected a lastError, there was none")

    def _comes_back(self) -> None:
        self._clear_faults()
        self._wait_for("inSync")
        self._require_held("Countess")

    def _change_to_rejected(self) -> None:
        self._set_faults(
            {
                "kind": "reject",
                "key": self._id,
                "field": "TITLE",
                "equals": "Empress",
                "reasonCode": "TITLE07",
                "reasonText": "title is reserved",
            }
        )
        self._patch(title="Empress")

    def _is_rejected(self) -> None:
        status = self._wait_for("rejected")
        error = status.get("lastError") or {}
        _same("code of lastError", error.get("code"), "TITLE07")
        self._require_held("Countess")

    def _correct(self) -> None:
        self._clear_faults()
        self._patch(title="Dame")
        self._wait_for("inSync")

    def _journal_increases(self) -> None:
        answer = self.client.ask("GET", f"{self.control}/journal?key={self._id}").require(200)
        applied = [row["version"] for row in answer.json().get("items", []) if row.get("outcome") == "applied"]
        if not applied or applied != sorted(set(applied)) or applied[-1] != len(self._etags):
            raise NotAsPromisedError(f"expected increasing versions that end with {len(self._etags)}, got {applied}")

    def _health(self) -> None:
        answer = self.client.ask("GET", f"{self.api}/api/private/v1/health", headers=self._key()).require(200)
        for part in ("storage", "mainframe"):
            _same(f"condition of {part}", answer.json().get(part, {}).get("condition"), "ok")

    def _post(self, **changes: str) -> Answer:
        person = {"firstName": "Ada", "lastName": "Lovelace", "email": f"ada.{self._run}@example.com"}
        return self.client.ask(
            "POST",
            f"{self.api}/api/v1/customers",
            body=person | changes,
            headers={"Idempotency-Key": f"demo-{self._run}"},
        )

    def _patch(self, **changes: str) -> None:
        answer = self.client.ask("PATCH", self._url, body=changes, headers=self._newest()).require(200)
        self._etags.append(answer.header("ETag"))
        _same("version", answer.json().get("version"), len(self._etags))

    def _newest(self) -> dict[str, str]:
        return {"If-Match": self._etags[-1]}

    def _key(self) -> dict[str, str]:
        return {"x-functions-key": self.function_key}

    def _private(self, rest: str) -> str:
        return f"{self.api}/api/private/v1/customers/{self._id}{rest}"

    def _set_faults(self, *faults: dict[str, Any]) -> None:
        self._faults_set = True
        self.client.ask("PUT", f"{self.control}/faults", body=list(faults)).require(200)

    def _clear_faults(self) -> None:
        self.client.ask("DELETE", f"{self.control}/faults").require(200)
        self._faults_set = False

    def _require_held(self, title: str) -> None:
        held = self.client.ask("GET", f"{self.control}/master/{self._id}", quietly=True).require(200).json()
        _same("TITLE at the mainframe", held.get("record", {}).get("TITLE"), title)

    def _wait_for(self, *states: str) -> dict[str, Any]:
        """Ask where the delivery stands until it is in one of the states, and show the last answer."""
        url, asked = self._private("/deliveries/mainframe"), 1
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            status = self.client.ask("GET", url, headers=self._key(), quietly=True).require(200).json()
            if status.get("state") in states and status.get("version") == len(self._etags):
                break
            if time.monotonic() > deadline:
                wanted = " or ".join(states)
                raise NotAsPromisedError(f"expected {wanted} within {_WAIT_SECONDS:g} s, it is {status.get('state')}")
            asked += 1
            time.sleep(_POLL_SECONDS)
        self.client.show(f"(asked {asked} times where its delivery stands, then:)")
        return self.client.ask("GET", url, headers=self._key()).require(200).json()


def _same(name: str, came: object, expected: object) -> None:
    if came != expected:
        raise NotAsPromisedError(f"{name}: expected {expected!r}, got {came!r}")
