"""Set-ups of servers that allow little, of what is no SSH server, and of login shells."""

from functools import partial

from ssh_matrix.setup import Setup

_servers = partial(Setup, group="servers", script="put ed25519")
_shells = partial(Setup, group="shells", script="put ed25519")
_JUMP = "Host build.example.test\n  ProxyJump pat@127.0.0.1"
_BOTH_KNOWN = "put ed25519; known 127.0.0.1 $(blob host_ed25519)"

SERVERS = (
    _servers(name="MaxSessions 1", server="MaxSessions 1"),
    _servers(
        name="MaxSessions 0",
        server="MaxSessions 0",
    ),
    _servers(name="ForceCommand", server="ForceCommand echo 'Only backups run here.'"),
    _servers(
        name="ForceCommand that runs what is asked for",
        server='ForceCommand sh -c "$SSH_ORIGINAL_COMMAND"',
    ),
    _servers(name="ForceCommand internal-sftp", server="ForceCommand internal-sftp"),
    _servers(
        name='command="…" of the key',
        authorized=(),
        script="put ed25519; authorize 'command=\"echo Deploys only.\"' $(blob ed25519)",
    ),
    _servers(
        name="restrict of the key",
        authorized=(),
        script="put ed25519; authorize restrict $(blob ed25519)",
    ),
    _servers(name="git-shell", account="git"),
    _servers(name="nologin", account="nologin"),
    _servers(name="/bin/false", account="false"),
    _servers(name="a menu as login shell", account="menu"),
    _servers(name="PowerShell as login shell", account="powershell"),
    _servers(name="rbash", account="rbash"),
    _servers(name="AllowUsers without this account", server="AllowUsers somebody"),
    _servers(name="DisableForwarding", server="DisableForwarding yes"),
    _servers(name="PermitTTY no", server="PermitTTY no"),
    _servers(name="a banner before the login", server="Banner {keys}/ca.pub"),
    _servers(
        name="Compression, and ciphers of its own",
        server="Ciphers aes256-gcm@openssh.com",
        client="Compression yes",
    ),
    _servers(name="accepts and says nothing", listener="silent", client="ConnectTimeout 2"),
    _servers(name="closes at once", listener="closing"),
    _servers(name="a web server", listener="web"),
    _servers(name="nothing listens", client="Port 23"),
    _servers(
        name="a jump host that forbids forwarding",
        server="AllowTcpForwarding no",
        client=_JUMP,
        script=_BOTH_KNOWN,
    ),
    _servers(name="a jump host", client=_JUMP, script=_BOTH_KNOWN),
    _servers(name="ProxyCommand", client="ProxyCommand {shells}/through"),
    _servers(name="ProxyCommand that fails", client="ProxyCommand echo no way out >&2; exit 3"),
    _servers(name="a name that does not resolve", client="Hostname nowhere.invalid"),
)
SHELLS = tuple(
    _shells(name=name, account=account)
    for name, account in (
        ("bash", "pat"),
        ("bash with a noisy .bashrc", "noisy"),
        ("dash", "dash"),
        ("busybox ash", "ash"),
        ("zsh", "zsh"),
        ("fish", "fish"),
        ("tcsh", "tcsh"),
        ("csh", "csh"),
    )
)
SETUPS = (*SERVERS, *SHELLS)
