from pathlib import Path

import pytest

from dockless.config import deploy
from dockless.config.deploy import Deploy
from dockless.config.secrets import SecretName
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.model.builder import Builder
from dockless.model.secret import Secret
from dockless.model.server import Server

ENVIRONMENT = {"ACCOUNT": "acme"}


def read(folder: Path, text: str, destination: str | None = None, over: str = "") -> Deploy:
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/deploy.yml").write_text(text)
    if over:
        (folder / f"config/deploy.{destination}.yml").write_text(over)
    return deploy.read(folder, ENVIRONMENT, destination)


WHEELS = """\
name: My_app            # project name, verbatim
image: myapp:latest
unknown: [1, 2]
servers:
  - host: 192.168.1.10
    user: ubuntu
    role: production
  - host: b.example.com
    user: deploy
    port: "2222"
    key: ~/.ssh/id_b
    proxy: jump@bastion:22
  - {host: 192.168.1.10, user: ubuntu}
"""

KAMAL = """\
service: shop
image: acme/shop
registry:
  server: ghcr.io
  username: acme
  password:
    - GHCR_TOKEN
servers:
  web:
    - 10.0.0.1
    - 10.0.0.2: [canary, eu]
  job:
    hosts: [10.0.0.1, 10.0.0.3]
    cmd: bin/jobs
ssh:
  user: deploy
  port: "2200"
  proxy: bastion
  keys: [~/.ssh/id_a]
  keys_only: true
  config: false
builder:
  context: .
  dockerfile: Containerfile
  target: final
  args:
    RUBY: 3.10
    DEBUG: yes
# args: <%= ENV["X"] %> in a comment says nothing
"""


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert deploy.read(tmp_path, {}, None) == Deploy()


def test_wheels_dialect(tmp_path: Path) -> None:
    found = read(tmp_path, WHEELS)
    assert found.dialect == "wheels"
    assert found.project == Setting("My_app", "config/deploy.yml:1")
    assert found.image == Setting("myapp:latest", "config/deploy.yml:2")
    assert (found.server, found.kind, found.username, found.password) == (None, None, None, None)
    assert found.servers == Setting(
        (
            Server(address="192.168.1.10", user="ubuntu", role="production"),
            Server(
                address="b.example.com",
                user="deploy",
                port=2222,
                keys=("~/.ssh/id_b",),
                proxy="jump@bastion:22",
            ),
        ),
        "config/deploy.yml:5",
    )


def test_kamal_dialect(tmp_path: Path) -> None:
    found = read(tmp_path, KAMAL)
    assert found.dialect == "kamal"
    assert found.project == Setting("shop", "config/deploy.yml:1")
    assert found.server == Setting("ghcr.io", "config/deploy.yml:4")
    assert found.kind
    assert found.kind.value.name == "ghcr"
    assert found.username == Setting("acme", "config/deploy.yml:5")
    assert found.password == Setting(SecretName("GHCR_TOKEN"), "config/deploy.yml:7")
    assert found.warnings == ()
    assert found.builder == Builder(
        context=".",
        dockerfile="Containerfile",
        args=(("RUBY", "3.10"), ("DEBUG", "yes")),
        target="final",
    )


def test_kamal_hosts_are_flattened_in_order_and_once(tmp_path: Path) -> None:
    found = read(tmp_path, KAMAL)
    assert found.servers

    def server(address: str, role: str) -> Server:
        return Server(
            address=address,
            user="deploy",
            port=2200,
            keys=("~/.ssh/id_a",),
            keys_only=True,
            proxy="root@bastion",
            config=("none",),
            role=role,
        )

    assert found.servers.value == (
        server("10.0.0.1", "web"),
        server("10.0.0.2", "web"),
        server("10.0.0.3", "job"),
    )


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("true", ()),
        ("false", ("none",)),
        ("ssh.cfg", ("ssh.cfg",)),
        ("[a.cfg, b.cfg]", ("a.cfg", "b.cfg")),
    ],
)
def test_kamal_says_which_ssh_config_counts(
    tmp_path: Path, text: str, files: tuple[str, ...]
) -> None:
    found = read(tmp_path, f"service: a\nservers: [10.0.0.1]\nssh:\n  config: {text}\n")
    assert found.servers
    assert found.servers.value[0].config == files


@pytest.mark.parametrize(
    ("host", "parts"),
    [
        ("deploy@10.0.0.4", ("deploy", "10.0.0.4", 23)),
        ("10.0.0.5:2222", ("app", "10.0.0.5", 2222)),
        ("admin@web.example:2200", ("admin", "web.example", 2200)),
        ("web", ("app", "web", 23)),
        ("'[2001:db8::2]'", ("app", "2001:db8::2", 23)),
        ("'[2001:db8::2]:2222'", ("app", "2001:db8::2", 2222)),
        ("'root@[fe80::1%eth0]:2222'", ("root", "fe80::1%eth0", 2222)),
        ("'2001:db8::1'", ("app", "2001:db8::1", 23)),
        ("{'ops@10.0.0.6:99': [a, b]}", ("ops", "10.0.0.6", 99)),
        ("a@b@host", ("a@b", "host", 23)),
    ],
)
def test_a_host_of_kamal_may_have_its_own_user_and_port(
    tmp_path: Path, host: str, parts: tuple[str, str, int]
) -> None:
    text = f"service: a\nssh: {{user: app, port: 23}}\nservers:\n  - {host}\n"
    found = read(tmp_path, text)
    assert found.servers
    (server,) = found.servers.value
    assert (server.user, server.address, server.port) == parts


def test_erb_of_the_environment_is_answered_and_other_ruby_only_where_it_is_needed(
    tmp_path: Path,
) -> None:
    found = read(
        tmp_path,
        "service: a\n"
        "image: <%= ENV['ACCOUNT'] %>/shop\n"
        "servers: [<%= ENV.fetch('HOST', '192.0.2.10') %>]\n"
        "env: {clear: {REVISION: <%= `git rev-parse HEAD`.strip %>}}\n"
        "builder: {args: {A: 1, REVISION: <%= Time.now %>}}\n",
    )
    assert found.image
    assert found.servers
    assert found.image.value == "acme/shop"
    assert [each.address for each in found.servers.value] == ["192.0.2.10"]
    assert found.builder.args == (("A", "1"),)
    (error,) = found.builder.unanswered
    assert "`builder.args.REVISION` in config/deploy.yml:5 is ERB" in error.what


@pytest.mark.parametrize(
    ("server", "image", "host", "expected"),
    [
        ("r.io/team", "shop", "r.io", "team/shop"),
        ("https://r.io/a/b/", "web/shop", "r.io", "a/b/web/shop"),
        ("r.io:5000/team/", "shop", "r.io:5000", "team/shop"),
        ("r.io", "team/shop", "r.io", "team/shop"),
    ],
)
def test_a_path_after_the_registrys_host_is_before_the_image(
    tmp_path: Path, server: str, image: str, host: str, expected: str
) -> None:
    found = read(tmp_path, f"service: a\nimage: {image}\nregistry:\n  server: {server}\n")
    assert found.server
    assert found.image
    assert (found.server.value, found.image.value) == (host, expected)


@pytest.mark.parametrize(
    ("proxies", "proxy", "command"),
    [
        ("proxy_command: nc %h %p", "", "nc %h %p"),
        ("proxy: jump, proxy_command: nc %h", "root@jump", ""),
        ("proxy_command: ", "", ""),
    ],
)
def test_kamal_speaks_through_a_command_where_it_has_no_jump_host(
    tmp_path: Path, proxies: str, proxy: str, command: str
) -> None:
    found = read(tmp_path, f"service: a\nservers: [h]\nssh: {{{proxies}}}\n")
    assert found.servers
    (server,) = found.servers.value
    assert (server.proxy, server.proxy_command) == (proxy, command)


def test_kamals_keys_are_secrets(tmp_path: Path) -> None:
    text = "service: a\nservers: [h]\nssh: {keys_only: true, key_data: [KEY, OTHER]}\n"
    found = read(tmp_path, text)
    assert found.servers
    (server,) = found.servers.value
    assert [each.reveal() for each in server.key_data] == ["KEY", "OTHER"]
    assert "OTHER" not in repr(found)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("service: a\nminimum_version: 3.0.0\n", "yml:2 asks for Kamal 3.0.0; the file is read as"),
        ("service: a\nminimum_version: 2.13\n", "asks for Kamal 2.13"),
        ("service: a\nminimum_version: '2.12.1'\n", ""),
        ("service: a\nminimum_version: 1.3.0\n", ""),
        ("service: a\nssh: {key_data: ['-----BEGIN X-----\\nabc']}\n", "a private key as plain"),
    ],
)
def test_what_may_be_read_otherwise_than_by_kamal_is_said(
    tmp_path: Path, text: str, said: str
) -> None:
    warnings = read(tmp_path, text).warnings
    assert len(warnings) == bool(said)
    assert all(said in each and "abc" not in each for each in warnings)


def test_what_is_not_heeded_of_a_builder_is_kept_by_name(tmp_path: Path) -> None:
    text = (
        "service: a\nbuilder: {arch: amd64, secrets: [A], target: t, pack: , cache: {type: gha}}\n"
    )
    assert read(tmp_path, text).builder.unused == ("arch", "cache", "secrets")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image: <%= `git x` %>\n", "`image` in config/deploy.yml:1 is ERB"),
        ("image: <%= ENV.fetch('NONE') %>\n", "config/deploy.yml:1 needs the variable NONE, which"),
        ("service: a\nservers: [x<%= ENV.fetch('H') %>]\n", "yml:2 needs the variable H, which"),
        ("name: a\nimage: x/<%= y %>:1\n", "`image` in config/deploy.yml:2 is ERB"),
        ("service: a\nservers: <%= x %>\n", "`servers` in config/deploy.yml:2 is ERB"),
        ("service: a\nservers: [<%= x %>]\n", "`servers[0]` in config/deploy.yml:2 is ERB"),
        ("service: a\nssh: {port: <%= x %>}\n", "`ssh.port` in config/deploy.yml:2 is ERB"),
        (
            "service: a\nssh: {keys_only: <%= x %>}\n",
            "`ssh.keys_only` in config/deploy.yml:2 is ERB",
        ),
        ("service: a\nregistry: <%= x %>\n", "`registry` in config/deploy.yml:2 is ERB"),
        ("service: <%= x %>\n", "`service` in config/deploy.yml:1 is ERB"),
        ("service: a\nsecrets_path: <%= x %>\n", "`secrets_path` in config/deploy.yml:2 is ERB"),
        ("service: a\nregistry: {password: <%= %x(aws) %>}\n", "`registry.password` in config"),
        ("service: a\nregistry:\n  username: [<%= y %>]\n", "`registry.username[0]` in config"),
    ],
)
def test_what_only_ruby_can_tell_is_an_error_where_it_is_needed(
    tmp_path: Path, text: str, message: str
) -> None:
    found = read(tmp_path, text)
    errors = {each.what for each in found.unanswered.values()}
    assert any(message in each for each in errors), errors
    for name in found.unanswered:
        with pytest.raises(UsageError, match=r"Ruby|variable"):
            found.require(name)
    found.require("builder")


def test_kamal_servers_may_be_a_list(tmp_path: Path) -> None:
    found = read(tmp_path, "service: a\nservers:\n  - 10.0.0.1\n  - 10.0.0.2: web\n")
    assert found.servers
    assert found.servers.value == (
        Server(address="10.0.0.1", user="root"),
        Server(address="10.0.0.2", user="root"),
    )


def test_kamal_registry_without_server_is_docker_hub(tmp_path: Path) -> None:
    found = read(tmp_path, "service: a\nregistry:\n  username: me\n")
    assert found.server is None
    assert found.kind
    assert found.kind.value.name == "dockerhub"


def test_kamal_password_that_is_text_is_a_secret_with_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, "service: a\nregistry:\n  password: hunter2\n")
    assert found.password == Setting(Secret("hunter2"), "config/deploy.yml:3")
    assert "config/deploy.yml:3 holds the registry's password" in found.warnings[0]
    assert "hunter2" not in repr(found)


def test_file_with_an_image_only_is_no_dialect_of_kamal(tmp_path: Path) -> None:
    found = read(tmp_path, "image: shop:latest\n")
    assert (found.dialect, found.project) == ("wheels", None)
    assert found.image == Setting("shop:latest", "config/deploy.yml:1")


def test_both_dialects_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"`name` in config/deploy\.yml:2 conflicts with `service`"
    ):
        read(tmp_path, "service: a\nname: b\n")


# Destinations


def test_destination_is_merged_map_by_map(tmp_path: Path) -> None:
    over = "registry:\n  username: other\nservers: [10.9.9.9]\n"
    found = read(tmp_path, KAMAL, "staging", over)
    assert found.server == Setting("ghcr.io", "config/deploy.yml:4")
    assert found.username == Setting("other", "config/deploy.staging.yml:2")
    assert found.servers
    assert [server.address for server in found.servers.value] == ["10.9.9.9"]


def test_destination_without_its_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"needs config/deploy\.staging\.yml"):
        read(tmp_path, KAMAL, "staging")


@pytest.mark.parametrize("destination", ["", "../x", "a/b", "-x"])
def test_destination_that_is_no_name_is_refused(tmp_path: Path, destination: str) -> None:
    with pytest.raises(UsageError, match="not the name of a destination"):
        read(tmp_path, KAMAL, destination)


# What is wrong names file, line and key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image: 5\n", "`image` in config/deploy.yml:1 is a number, where text is needed"),
        ("name: [a]\n", "`name` in config/deploy.yml:1 is a list, where text is needed"),
        ("service: a\nimage: true\n", "`image` in config/deploy.yml:2 is a boolean"),
        ("service: a\nregistry: r.io\n", "`registry` in config/deploy.yml:2 is text"),
        ("service: a\nregistry:\n  username: 7\n", "`registry.username` in config/deploy.yml:3"),
        ("service: a\nregistry:\n  password: {a: b}\n", "`registry.password` in"),
        ("service: a\nregistry:\n  password: [A, B]\n", "exactly one secret"),
        ("service: a\nregistry:\n  password: []\n", "exactly one secret"),
        ("service: a\nregistry:\n  server: http://r.io\n", "asks for plain HTTP"),
        ("service: a\nregistry:\n  server: team/r.io\n", "config/deploy.yml:3 is 'team/r.io'"),
        ("service: a\nrequire_destination: 5\n", "`require_destination` in config/deploy.yml:2"),
        ("service: a\nsecrets_path: [a]\n", "`secrets_path` in config/deploy.yml:2 is a list"),
        ("service: a\nservers: 5\n", "`servers` in config/deploy.yml:2 is a number"),
        ("service: a\nservers:\n  web: x\n", "`servers.web` in config/deploy.yml:3 is text"),
        ("service: a\nservers:\n  - [x]\n", "`servers[0]` in config/deploy.yml:3 is a list"),
        ("service: a\nservers:\n- {host: h, user: u}\n", "`servers[0]` in config/deploy.yml:3"),
        ("service: a\nservers:\n- -oProxy=x\n", "begins with '-'"),
        ("service: a\nservers:\n- '-x': web\n", "begins with '-'"),
        ("service: a\nservers:\n- 'a b'\n", "empty or contains spaces"),
        ("service: a\nservers:\n- '@h'\n", "user that is empty"),
        ("service: a\nservers:\n- '[::1'\n", "is not [USER@]HOST[:PORT]"),
        ("service: a\nservers:\n- 'ssh://u@h:22'\n", "is not [USER@]HOST[:PORT]"),
        ("service: a\nservers:\n- u:secret@h\n", "is not [USER@]HOST[:PORT]"),
        ("service: a\nservers:\n- h/x\n", "is not [USER@]HOST[:PORT]"),
        ("service: a\nservers:\n- -l@h\n", "user that begins with '-'"),
        ("service: a\nservers:\n- u@-h\n", "host that begins with '-'"),
        ("service: a\nservers:\n- 'h:'\n", "`servers[0]` in config/deploy.yml:3 is not a port"),
        ("service: a\nservers:\n- h:ssh\n", "is not a port"),
        ("service: a\nservers:\n- '[::1]:99999'\n", "is not a port"),
        ("service: a\nssh:\n  user: -l\n", "`ssh.user` in config/deploy.yml:3 has a user"),
        ("service: a\nssh:\n  proxy: -x\n", "`ssh.proxy` in config/deploy.yml:3"),
        ("service: a\nssh:\n  port: ssh\n", "`ssh.port` in config/deploy.yml:3 is not a port"),
        ("service: a\nssh:\n  port: 65536\n", "is not a port"),
        ("service: a\nssh:\n  keys: x\n", "`ssh.keys` in config/deploy.yml:3 is text"),
        ("service: a\nssh:\n  keys_only: 'x'\n", "where true or false is needed"),
        ("service: a\nbuilder: x\n", "`builder` in config/deploy.yml:2 is text"),
        ("service: a\nbuilder:\n  args: [A]\n", "`builder.args` in config/deploy.yml:3"),
        ("service: a\nbuilder:\n  args:\n    A: []\n", "`builder.args.A` in config/deploy.yml:4"),
        ("servers:\n- host: h\n", "`servers[0]` in config/deploy.yml:2 has no user"),
        ("servers:\n- user: u\n", "`servers[0]` in config/deploy.yml:2 has no host"),
        ("servers:\n- host: -h\n  user: u\n", "`servers[0].host` in config/deploy.yml:2"),
        ("servers:\n- host: h\n  user: -u\n", "`servers[0].user` in config/deploy.yml:3"),
        ("servers:\n- host: h\n  user: u\n  port: 0\n", "`servers[0].port`"),
        ("servers:\n- host: h\n  user: u\n  proxy: -p\n", "`servers[0].proxy`"),
        ("servers:\n- text\n", "`servers[0]` in config/deploy.yml:2 is text, where a map"),
        ("service: a\n<%= x %>: 1\n", "config/deploy.yml:2 is ERB"),
        ("service: a\n<% if x %>\n", "config/deploy.yml:2 is ERB"),
        ("- a\n", "config/deploy.yml:1 is a list, where a map is needed"),
        ("image: a\n  b: c\n", "config/deploy.yml:2:4 is not YAML"),
    ],
)
def test_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    assert message in caught.value.what


def test_destination_errors_name_the_destination_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`image` in config/deploy\.x\.yml:1"):
        read(tmp_path, KAMAL, "x", "image: 5\n")


def test_null_and_empty_say_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "service: a\nimage:\nservers:\n  web:\nregistry:\n  username: ''\n")
    assert (found.image, found.username) == (None, None)
    assert found.servers
    assert found.servers.value == ()


@pytest.mark.parametrize("name", ["x$(>pwned)y", "x`id`", "a|b", "a&b"])
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('service: s\nservers: [web1]\nssh: {{proxy: "root@{}"}}\n', "ssh.proxy"),
        ('service: s\nservers: [web1]\nssh: {{proxy: "{}@gate"}}\n', "ssh.proxy"),
        ('service: s\nservers: [web1]\nssh: {{user: "{}"}}\n', "ssh.user"),
        ('service: s\nservers: ["{}@web1"]\n', "servers[0]"),
        ('servers:\n  - {{host: "{}", user: u}}\n', "servers[0].host"),
        ('servers:\n  - {{host: a, user: "{}"}}\n', "servers[0].user"),
        ('servers:\n  - {{host: a, user: u, proxy: "u@{}"}}\n', "servers[0].proxy"),
    ],
)
def test_a_name_that_a_shell_would_run_is_refused_with_its_place(
    tmp_path: Path, text: str, key: str, name: str
) -> None:
    with pytest.raises(UsageError, match="characters that ssh does not accept") as caught:
        read(tmp_path, text.format(name))
    assert f"`{key}` in config/deploy.yml" in caught.value.what


PASSWORDS = [
    ('<%= ENV["ACCOUNT"] %>', False),
    ('"<%= ENV["ACCOUNT"] %>"', False),
    ("'<%= ENV[\"ACCOUNT\"] %>-x'", False),
    ('<%= ENV.fetch("ACCOUNT") %>  # of the account', False),
    ("acme", True),
    ('acme  # <%= ENV["ACCOUNT"] %>', True),
    ('"acme-<%# nothing %>x"', True),
]


@pytest.mark.parametrize(("password", "warns"), PASSWORDS)
@pytest.mark.parametrize("over", [False, True])
def test_a_password_is_plain_text_only_where_the_file_itself_holds_it(
    tmp_path: Path, password: str, *, warns: bool, over: bool
) -> None:
    text = "service: shop\nimage: acme/shop\n"
    registry = f"registry:\n  username: <%= ENV['ACCOUNT'] %>\n  password: {password}\n"
    found = read(tmp_path, text, "eu", registry) if over else read(tmp_path, text + registry)
    assert [("as plain text" in each) for each in found.warnings] == [True] * warns
    assert found.password
    assert isinstance(found.password.value, Secret)
    assert "acme" in found.password.value.reveal()


def test_a_password_beside_a_variable_is_plain_text(tmp_path: Path) -> None:
    text = "service: s\nregistry: {username: <%= ENV['ACCOUNT'] %>, password: hunter2}\n"
    assert "as plain text" in "".join(read(tmp_path, text).warnings)
