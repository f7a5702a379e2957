"""Set-ups of keys, certificates and agents."""

from functools import partial

from ssh_matrix.setup import FIDO, PASSPHRASE, Held, Setup

_keys = partial(Setup, group="keys")
_MANY = ("other", "third", "fourth", "ecdsa", "rsa", "ed25519")

FORMATS = tuple(
    _keys(name=name, authorized=(key,), script=f"put {key} {file}")
    for name, key, file in (
        ("Ed25519 key", "ed25519", "id_ed25519"),
        ("ECDSA key", "ecdsa", "id_ecdsa"),
        ("ECDSA key of 384 bits", "ecdsa384", "id_ecdsa"),
        ("ECDSA key of 521 bits", "ecdsa521", "id_ecdsa"),
        ("ECDSA key in OpenSSL's form (SEC1)", "ecdsa_pem", "id_ecdsa"),
        ("ECDSA key in PKCS#8", "ecdsa_pkcs8", "id_ecdsa"),
        ("RSA key", "rsa", "id_rsa"),
        ("RSA key in PKCS#1", "rsa_pkcs1", "id_rsa"),
        ("RSA key in PKCS#8", "rsa_pkcs8", "id_rsa"),
    )
)
LOCKED = tuple(
    _keys(
        name=name,
        authorized=(key,),
        script=f"put {key} {file}",
        answers={"passphrase": PASSPHRASE},
    )
    for name, key, file in (
        ("encrypted Ed25519 key, at a terminal", "locked", "id_ed25519"),
        ("encrypted RSA key in PKCS#1, at a terminal", "locked_pkcs1", "id_rsa"),
        ("encrypted ECDSA key in PKCS#8, at a terminal", "locked_pkcs8", "id_ecdsa"),
    )
)
FILES = (
    _keys(
        name="Ed25519 key in PKCS#8",
        authorized=("ed25519_pkcs8",),
        script="put ed25519_pkcs8",
        may_differ="OpenSSH reads it from 9.6 on",
    ),
    _keys(name="encrypted key, no terminal", authorized=("locked",), script="put locked"),
    _keys(
        name="encrypted key, a wrong passphrase",
        authorized=("locked",),
        script="put locked",
        answers={"passphrase": "wrong"},
    ),
    _keys(
        name="encrypted key that the server does not know, at a terminal",
        script="put locked; put ed25519 id_rsa",
        client="IdentityFile ~/.ssh/id_ed25519\nIdentityFile ~/.ssh/id_rsa",
        answers={},
    ),
    _keys(
        name="encrypted key without its public half, no terminal",
        authorized=("locked_pkcs1",),
        script="put locked_pkcs1 id_rsa; rm .ssh/id_rsa.pub",
    ),
    _keys(name="key file that others may read", script="put ed25519; chmod 644 .ssh/id_ed25519"),
    _keys(
        name="IdentityFile that is no key, and a good one",
        client="IdentityFile ~/.ssh/junk\nIdentityFile ~/.ssh/id_ed25519",
        script="put ed25519; echo junk >.ssh/junk; chmod 600 .ssh/junk",
    ),
    _keys(
        name="IdentityFile that is missing, and a good one",
        client="IdentityFile ~/.ssh/none\nIdentityFile ~/.ssh/id_ed25519",
        script="put ed25519",
    ),
    _keys(
        name="IdentityFile with %d, %r, %h, %p and %n",
        client="IdentityFile %d/.ssh/%r-%h-%p-%n",
        script="put ed25519 pat-$HOST-22-$HOST",
    ),
    _keys(
        name="IdentityFile with %u, %i, %l, %L, %k and %%",
        client="HostKeyAlias alias\nIdentityFile ~/.ssh/%u-%i-%l-%L-%k-%%",
        known=False,
        script="put ed25519 root-0-$(uname -n)-$(uname -n | cut -d. -f1)-alias-%;"
        " known alias $(blob host_ed25519)",
    ),
    _keys(
        name="IdentityFile with %C",
        client="IdentityFile ~/.ssh/%C",
        script="put ed25519 $(printf %s $(uname -n)$HOST'22pat' | sha1sum | cut -d' ' -f1)",
    ),
    _keys(
        name="IdentityFile with ${VARIABLE}",
        client="IdentityFile ${MY_KEYS}/work_${MY_KIND}",
        environment={"MY_KEYS": "{home}/.ssh", "MY_KIND": "ed"},
        script="put ed25519 work_ed",
    ),
    _keys(
        name="IdentityFile none and an agent",
        client="IdentityFile none",
        script="put ed25519",
        agent=("other",),
    ),
    _keys(name="PubkeyAuthentication no", client="PubkeyAuthentication no", script="put ed25519"),
    _keys(
        name="PubkeyAcceptedAlgorithms without the key's",
        client="PubkeyAcceptedAlgorithms rsa-sha2-512",
        script="put ed25519",
    ),
    _keys(
        name="server that takes RSA signatures with SHA-256 only",
        server="PubkeyAcceptedAlgorithms rsa-sha2-256",
        authorized=("rsa",),
        script="put rsa id_rsa",
    ),
    _keys(
        name="server that takes RSA signatures with SHA-1 only",
        server="PubkeyAcceptedAlgorithms ssh-rsa",
        authorized=("rsa",),
        script="put rsa id_rsa",
    ),
    _keys(
        name="the same, and PubkeyAcceptedAlgorithms +ssh-rsa",
        server="PubkeyAcceptedAlgorithms ssh-rsa",
        client="PubkeyAcceptedAlgorithms +ssh-rsa",
        authorized=("rsa",),
        script="put rsa id_rsa",
    ),
    _keys(
        name="RequiredRSASize above the key's",
        client="RequiredRSASize 8192",
        authorized=("rsa",),
        script="put rsa id_rsa",
    ),
    _keys(name="key that the server does not know", script="put other"),
)
CERTIFICATES = (
    _keys(
        name="certificate beside its key",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        script="put signed; certificate signed id_ed25519-cert.pub",
    ),
    _keys(
        name="CertificateFile elsewhere",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        client="CertificateFile ~/.ssh/work-cert.pub",
        script="put signed; certificate signed work-cert.pub",
    ),
    _keys(
        name="CertificateFile with ${VARIABLE} and %r",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        client="CertificateFile ${MY_SSH}/%r.pub",
        environment={"MY_SSH": "{home}/.ssh"},
        script="put signed; certificate signed pat.pub",
    ),
    _keys(
        name="CertificateFile of an RSA key",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        client="CertificateFile ~/.ssh/work-cert.pub",
        script="put signed_rsa id_rsa; certificate signed_rsa work-cert.pub",
    ),
    _keys(
        name="certificate in the agent",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        agent=("signed",),
    ),
    _keys(
        name="certificate of an RSA key in the agent",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        agent=("signed_rsa",),
    ),
    _keys(
        name="CertificateFile of a key in the agent",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        client="CertificateFile ~/.ssh/work-cert.pub\nIdentitiesOnly yes\n"
        "IdentityFile ~/.ssh/work.pub",
        script="public signed work.pub; certificate signed work-cert.pub",
        held=(Held(key="signed"),),
    ),
    _keys(
        name="certificate that is over, and a plain key that is known",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=("expired",),
        script="put expired; certificate expired id_ed25519-cert.pub",
    ),
    _keys(
        name="certificate that is over",
        server="TrustedUserCAKeys {keys}/ca.pub",
        authorized=(),
        script="put expired; certificate expired id_ed25519-cert.pub",
    ),
)
AGENTS = (
    _keys(name="key in the agent", agent=("ed25519",)),
    _keys(
        name="IdentityFile names a public key, the agent has the private half",
        client="IdentityFile ~/.ssh/work.pub\nIdentitiesOnly yes",
        script="public ed25519 work.pub",
        agent=("other", "ed25519"),
    ),
    _keys(
        name="the same, the file without .pub",
        client="IdentityFile ~/.ssh/work\nIdentitiesOnly yes",
        script="public ed25519 work",
        agent=("other", "ed25519"),
    ),
    _keys(
        name="IdentityFile names a public key, its private half beside it",
        client="IdentityFile ~/.ssh/work.pub\nIdentitiesOnly yes",
        script="put ed25519 work",
    ),
    _keys(
        name="IdentitiesOnly, and a key in the agent alone",
        client="IdentitiesOnly yes",
        agent=("ed25519",),
    ),
    _keys(
        name="IdentityAgent with ${VARIABLE}",
        client="IdentityAgent ${MY_AGENT}",
        environment={"MY_AGENT": "{home}/../agent", "SSH_AUTH_SOCK": ""},
        agent=("ed25519",),
    ),
    _keys(
        name="IdentityAgent $VARIABLE",
        client="IdentityAgent $MY_AGENT",
        environment={"MY_AGENT": "{home}/../agent", "SSH_AUTH_SOCK": ""},
        agent=("ed25519",),
    ),
    _keys(
        name="IdentityAgent with %d",
        client="IdentityAgent %d/../agent",
        environment={"SSH_AUTH_SOCK": ""},
        agent=("ed25519",),
    ),
    _keys(
        name="IdentityAgent with ~",
        client="IdentityAgent ~/../agent",
        environment={"SSH_AUTH_SOCK": ""},
        agent=("ed25519",),
    ),
    _keys(name="IdentityAgent none", client="IdentityAgent none", agent=("ed25519",)),
    _keys(
        name="agent that refuses to sign, and a good file",
        authorized=("ed25519", "third"),
        script="put ed25519",
        held=(Held(key="third", refuses=True),),
    ),
    _keys(
        name="hardware key that the server knows is not touched, and a good file",
        script="put ed25519; authorize $(cat {keys}/fido.pub)",
        held=(FIDO,),
    ),
    _keys(
        name="hardware key that the server does not know, and a good file",
        script="put ed25519",
        held=(FIDO,),
    ),
    _keys(
        name="hardware key that is not touched, and nothing else",
        authorized=(),
        script="authorize $(cat {keys}/fido.pub)",
        held=(FIDO,),
    ),
    _keys(
        name="agent with a good key after one that the server does not know",
        held=(Held(key="other"), Held(key="ed25519")),
    ),
    _keys(
        name="agent that refuses every key, and no file",
        authorized=("third", "other"),
        held=(Held(key="third", refuses=True), Held(key="other", refuses=True)),
    ),
    _keys(
        name="six keys in the agent, MaxAuthTries 3",
        server="MaxAuthTries 3",
        agent=_MANY,
    ),
    _keys(
        name="the same, with IdentitiesOnly",
        server="MaxAuthTries 3",
        client="IdentitiesOnly yes",
        script="put ed25519",
        agent=_MANY,
    ),
    _keys(
        name="the same, IdentityFile names the right one",
        server="MaxAuthTries 3",
        client="IdentityFile ~/.ssh/work.pub",
        script="public ed25519 work.pub",
        agent=_MANY,
    ),
    _keys(
        name="agent that is gone, and a good file",
        environment={"SSH_AUTH_SOCK": "{home}/none"},
        script="put ed25519",
    ),
)
SETUPS = (*FORMATS, *LOCKED, *FILES, *CERTIFICATES, *AGENTS)
