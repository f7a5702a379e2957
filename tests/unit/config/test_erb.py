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


@pytest.mark.parametrize(
    "text",
    [
        "<%" * 500_000,
        "<%=x " * 200_000,
        'a: <%= ENV["A' * 70_000,
        "<%= ENV.fetch('A'" + " " * 1_000_000 + "x %>",
        "<%= ENV.fetch" + "\n" * 1_000_000 + "x %>",
    ],
)
def test_a_text_of_any_form_takes_time_in_proportion_to_its_length(text: str) -> None:
    # with time in proportion to its square, this would end with the limit of a test
    assert answered(text, "deploy.yml", {}).count("\ue001") == text.count("%>")


def test_marks_that_the_file_itself_has_take_no_longer() -> None:
    assert unset_variable("\ue000" * 1_000_000) == ""


@pytest.mark.parametrize("times", [2, 3_000, 20_000])
def test_variables_make_no_text_that_is_larger_than_a_configuration(times: int) -> None:
    with pytest.raises(UsageError, match="longer than 1 MiB"):
        answered("<%= ENV['BIG'] %>" * times, "deploy.yml", {"BIG": "x" * (1 << 20)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b <%# c %>\n", "a: b \n"),
        ("<%# a\nb %> c: <%= 1 %> <%# d\n%>\n", f" c: {RUBY} \n"),
        ("  # <%= 1 %> <% x\n%> <%= 2 %>", f"  # <%= 1 %> <% x\n%> {RUBY}"),
        ("a: <%= 1", "a: <%= 1"),
        ("a: <%=%>", f"a: {RUBY}"),
    ],
)
def test_where_a_tag_begins_and_ends_is_seen_within_its_line(text: str, expected: str) -> None:
    assert answered(text, "deploy.yml", {}) == expected
