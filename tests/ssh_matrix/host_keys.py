"""Set-ups of what is known of a server's key."""

from functools import partial

from ssh_matrix.setup import Setup

_hosts = partial(Setup, group="host keys", script="put ed25519")
_unknown = partial(_hosts, known=False)
_SIGNED = "HostKey {keys}/host_ed25519\nHostCertificate {keys}/host_ed25519-cert.pub"
_CHANGED = "put ed25519; known $HOST $(blob other)"

SETUPS = (
    _hosts(name="known key"),
    _unknown(name="unknown key, no terminal"),
    _unknown(name="unknown key, at a terminal", answers={}),
    _unknown(name="unknown key, said to be right", answers={"host key": "yes"}),
    _unknown(name="unknown key, said to be wrong", answers={"host key": "no"}),
    _unknown(
        name="unknown key and BatchMode yes, at a terminal", client="BatchMode yes", answers={}
    ),
    _unknown(name="changed key", script=_CHANGED),
    _unknown(
        name="changed key, the right one in the second file",
        client="UserKnownHostsFile ~/.ssh/known_hosts ~/.ssh/more",
        script=f"{_CHANGED}; echo $HOST $(blob host_ed25519) >.ssh/more",
    ),
    _hosts(name="revoked key", script='put ed25519; known @revoked "*" $(blob host_ed25519)'),
    _hosts(
        name="key in RevokedHostKeys",
        client="RevokedHostKeys ~/.ssh/revoked",
        script="put ed25519; public host_ed25519 revoked",
    ),
    _hosts(
        name="key in a revocation list (KRL)",
        client="RevokedHostKeys ~/.ssh/revoked",
        script="put ed25519; ssh-keygen -q -k -f .ssh/revoked $KEYS/host_ed25519.pub",
    ),
    _unknown(
        name="host certificate",
        server=_SIGNED,
        script='put ed25519; known @cert-authority "*.example.test" $(blob ca)',
    ),
    _unknown(
        name="host certificate of another name",
        server=_SIGNED,
        client="HostKeyAlias elsewhere.example.test",
        script='put ed25519; known @cert-authority "*.example.test" $(blob ca)',
    ),
    _unknown(
        name="host certificate and HostKeyAlias",
        server=_SIGNED,
        client="HostKeyAlias build.example.test",
        script="put ed25519; known @cert-authority build.example.test $(blob ca)",
    ),
    _unknown(
        name="host certificate of an unknown authority",
        server=_SIGNED,
        script='put ed25519; known @cert-authority "*.example.test" $(blob other)',
    ),
    _unknown(
        name="host certificate of a revoked authority",
        server=_SIGNED,
        script='put ed25519; known @cert-authority "*" $(blob ca); known @revoked "*" $(blob ca)',
    ),
    _unknown(
        name="host certificate for other hosts than this",
        server=_SIGNED,
        script="put ed25519; known @cert-authority other.example.test $(blob ca)",
    ),
    _unknown(
        name="host certificate that is over",
        server="HostKey {keys}/host_late\nHostCertificate {keys}/host_late-cert.pub",
        script='put ed25519; known @cert-authority "*.example.test" $(blob ca)',
    ),
    _unknown(
        name="host certificate of an RSA key",
        server="HostKey {keys}/host_rsa\nHostCertificate {keys}/host_rsa-cert.pub",
        script='put ed25519; known @cert-authority "*.example.test" $(blob ca)',
    ),
    _hosts(name="host certificate, and the plain key is known", server=_SIGNED),
    _unknown(
        name="HostKeyAlias",
        client="HostKeyAlias farm",
        script="put ed25519; known farm $(blob host_ed25519)",
    ),
    _unknown(
        name="HostKeyAlias that is unknown",
        client="HostKeyAlias farm",
        script="put ed25519; known $HOST $(blob host_ed25519)",
    ),
    _unknown(
        name="KnownHostsCommand",
        client='KnownHostsCommand /bin/sh -c "cat {home}/.ssh/from-%H"',
        script="put ed25519; echo $HOST $(blob host_ed25519) >.ssh/from-$HOST",
    ),
    _unknown(
        name="KnownHostsCommand that knows another key",
        client="KnownHostsCommand /bin/cat {home}/.ssh/%I",
        script="put ed25519; for i in ADDRESS HOSTNAME ORDER; do"
        " echo $HOST $(blob other) >.ssh/$i; done",
    ),
    _unknown(
        name="KnownHostsCommand that fails, and the key in a file",
        client="KnownHostsCommand /bin/false",
        script="put ed25519; known $HOST $(blob host_ed25519)",
    ),
    _unknown(
        name="hashed name in known_hosts",
        script="put ed25519; known $HOST $(blob host_ed25519);"
        " ssh-keygen -q -H -f .ssh/known_hosts 2>/dev/null; rm -f .ssh/known_hosts.old",
    ),
    _unknown(
        name="pattern and exception in known_hosts",
        script='put ed25519; known "*.example.test,!build.example.test" $(blob host_ed25519)',
    ),
    _unknown(
        name="UserKnownHostsFile with ${VARIABLE} and %h",
        client="UserKnownHostsFile ${MY_SSH}/of-%h",
        environment={"MY_SSH": "{home}/.ssh"},
        script="put ed25519; echo $HOST $(blob host_ed25519) >.ssh/of-$HOST",
    ),
    _unknown(
        name="GlobalKnownHostsFile",
        client="GlobalKnownHostsFile ~/.ssh/all",
        script="put ed25519; echo $HOST $(blob host_ed25519) >.ssh/all",
    ),
    _hosts(
        name="server with several keys, a known RSA key",
        known=False,
        server="HostKey {keys}/host_ed25519\nHostKey {keys}/host_ecdsa\nHostKey {keys}/host_rsa",
        script="put ed25519; known $HOST $(blob host_rsa)",
    ),
    _hosts(
        name="HostKeyAlgorithms of a key that is not known",
        server="HostKey {keys}/host_ed25519\nHostKey {keys}/host_rsa",
        client="HostKeyAlgorithms rsa-sha2-512",
    ),
    _unknown(
        name="server that signs with ssh-rsa only",
        server="HostKey {keys}/host_rsa\nHostKeyAlgorithms ssh-rsa",
        script="put ed25519; known $HOST $(blob host_rsa)",
    ),
    _unknown(
        name="the same, and HostKeyAlgorithms +ssh-rsa",
        server="HostKey {keys}/host_rsa\nHostKeyAlgorithms ssh-rsa",
        client="HostKeyAlgorithms +ssh-rsa",
        script="put ed25519; known $HOST $(blob host_rsa)",
    ),
    _unknown(name="accept-new, an unknown key", client="StrictHostKeyChecking accept-new"),
    _unknown(
        name="accept-new, a changed key",
        client="StrictHostKeyChecking accept-new",
        script=_CHANGED,
    ),
    _unknown(
        name="accept-new, a key of another kind is known",
        client="StrictHostKeyChecking accept-new",
        server="HostKey {keys}/host_ed25519",
        script="put ed25519; known $HOST $(blob host_rsa)",
    ),
    _unknown(name="no, an unknown key", client="StrictHostKeyChecking no"),
    _unknown(
        name="no, an unknown key, nothing is kept",
        client="StrictHostKeyChecking no\nUserKnownHostsFile /dev/null",
    ),
    _unknown(
        name="no, a changed key",
        client="StrictHostKeyChecking no",
        script=_CHANGED,
        differs="a registry credential would go to a server whose key has changed",
    ),
    _hosts(
        name="no, a revoked key",
        client="StrictHostKeyChecking no",
        script='put ed25519; known @revoked "*" $(blob host_ed25519)',
        differs="a revoked key is never trusted",
    ),
    _unknown(name="yes, an unknown key", client="StrictHostKeyChecking yes"),
    _unknown(
        name="NoHostAuthenticationForLocalhost",
        client="Hostname 127.0.0.1\nNoHostAuthenticationForLocalhost yes",
    ),
)
