from dockless.model.login import Login
from dockless.report.logins import logins_document, logins_text

LOGINS = (
    Login(scope="docker.io", username="me", place="keyring (Secret Service)"),
    Login(
        scope="ghcr.io/acme",
        username="ci",
        place="keyring (kernel keyring)",
        default=False,
        expires=0.9,
    ),
    Login(scope="host.example", username="", place="docker-credential-vault"),
)


def test_logins_stand_in_columns() -> None:
    assert logins_text(LOGINS).splitlines() == [
        "REGISTRY      USERNAME          KEPT IN                   ENDS",
        "docker.io     me                keyring (Secret Service)  -",
        "ghcr.io/acme  ci (not default)  keyring (kernel keyring)  1970-01-01T00:00:00Z",
        "host.example  (unknown)         docker-credential-vault   -",
    ]


def test_logins_are_one_document() -> None:
    assert logins_document(LOGINS[1:2], ["It is locked."]) == {
        "schemaVersion": 1,
        "logins": [
            {
                "registry": "ghcr.io/acme",
                "username": "ci",
                "keptIn": "keyring (kernel keyring)",
                "default": False,
                "ends": "1970-01-01T00:00:00Z",
            }
        ],
        "unread": ["It is locked."],
    }
