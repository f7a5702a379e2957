import pytest

from dockless.config.erb import answered, unset_variable
from dockless.errors import UsageError

RUBY, UNSET = "\ue000\ue001", "\ue000NONE\ue001"
ENVIRONMENT = {"USER_NAME": "acme", "EMPTY": "", "PORT_2": "2222"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('image: <%= ENV["USER_NAME"] %>/shop', "image: acme/shop"),
        ("image: <%=ENV['USER_NAME']-%>/shop", "image: acme/shop"),
        ('a: <%= ENV.fetch("USER_NAME") %>', "a: acme"),
        ('a: <%= ENV.fetch("NONE", "192.0.2.10") %>', "a: 192.0.2.10"),
        ("a: <%= ENV.fetch('NONE') { 'x' } %>", "a: x"),
        ("a: <%= ENV.fetch 'PORT_2', '22' %>", "a: 2222"),
        ('a: <%= ENV["NONE"] || "d" %>', "a: d"),
        ('a: <%= ENV["EMPTY"] || "d" %>', "a: "),
        ('a: <%= ENV.fetch("EMPTY", "d") %>', "a: "),
        ('a: <%= ENV["NONE"] %>', "a: "),
        ('a: <%= ENV.fetch("NONE") %>', f"a: {UNSET}"),
        ("a: <%= `git rev-parse HEAD`.strip %>", f"a: {RUBY}"),
        ('a: <%= ENV["USER_NAME"].upcase %>', f"a: {RUBY}"),
        ('a: <%= ENV["#{1}"] %>', f"a: {RUBY}"),
        ("a: <%= 1 %>-<%= ENV['USER_NAME'] %>", f"a: {RUBY}-acme"),
        ("<%# nothing %>\na: 1", "\na: 1"),
        ("# <% if x %>\na: 1", "# <% if x %>\na: 1"),
        ("<%# two\nlines %>\na: 1", "\n\na: 1"),
    ],
)
def test_what_asks_for_the_environment_is_answered(text: str, expected: str) -> None:
    assert answered(text, "deploy.yml", ENVIRONMENT) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<% if x %>\na: 1\n<% end %>", 1),
        ("a: 1\n<%- require 'x' -%>", 2),
        ("a:\n  - 1\n  <% [1].each do |n| %>", 3),
        ("a: <%% x %>", 1),
    ],
)
def test_ruby_that_decides_what_the_file_is_is_refused(text: str, line: int) -> None:
    with pytest.raises(UsageError, match=f"deploy.yml:{line} is ERB"):
        answered(text, "deploy.yml", ENVIRONMENT)


@pytest.mark.parametrize(("text", "name"), [(RUBY, ""), (f"a{UNSET}/b", "NONE"), ("x", "")])
def test_the_variable_that_is_not_set_is_known(text: str, name: str) -> None:
    assert unset_variable(text) == name
