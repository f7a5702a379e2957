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
        ("a: <%= 'x' %>", "a: x"),
        ('a: <%= ENV["NONE"] || ENV["USER_NAME"] %>', "a: acme"),
        ('a: <%= ENV["PORT_2"] == "2222" %>', "a: true"),
        ('a: <%= ENV["PORT_2"] -%>\n,b', "a: 2222,b"),
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
        ('<% if ENV["USER_NAME"].start_with?("a") %>\na: 1\n<% end %>', 1),
        ('<% if ENV["NONE"] %>\n<% elsif x %>\n<% end %>', 2),
        ('<% if ENV["USER_NAME"] %>\na: 1\n', 1),
        ("a: 1\n<% end %>", 2),
        ("a: 1\n<% else %>", 2),
        ("<% if nil %>\n<% else %>\n<% else %>\n<% end %>", 3),
        ("<% if nil %>\n<% [1].each do |n| %>\n<% end %>\n<% end %>", 2),
        ("<% if true %>\n<% end.to_s %>", 2),
    ],
)
def test_ruby_that_decides_what_the_file_is_is_refused(text: str, line: int) -> None:
    with pytest.raises(UsageError, match=f"deploy.yml:{line} is ERB"):
        answered(text, "deploy.yml", ENVIRONMENT)


@pytest.mark.parametrize("condition", ["if ENV.fetch('NONE')", 'unless !ENV.fetch("NONE").nil?'])
def test_a_variable_that_a_condition_lacks_is_named(condition: str) -> None:
    with pytest.raises(UsageError, match=r"deploy\.yml:2 needs the variable NONE, which"):
        answered(f"a: 1\n<% {condition} %>\n<% end %>", "deploy.yml", ENVIRONMENT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<% if ENV["USER_NAME"] == "acme" %>\na: 1\n<% end %>\nb: 2\n', "\na: 1\n\nb: 2\n"),
        ('<% if ENV["USER_NAME"] == "other" %>\na: 1\n<% end %>\nb: 2\n', "\n\n\nb: 2\n"),
        ('<% unless ENV["EMPTY"].empty? -%>\na: 1\n<% end -%>\nb: 2\n', "\n\n\nb: 2\n"),
        ("<%- if nil -%>\na: 1\n<%- else -%>\na: 2\n<%- end -%>\nb: 1\n", "\n\n\na: 2\n\nb: 1\n"),
        (
            (
                "<% if nil %>\na: 1\n<% elsif ENV['NONE'] %>\n\n<% elsif ENV['EMPTY'] %>\na: 3\n"
                "<% elsif x %>\na: 4\n<% else %>\na: 5\n<% end %>\nb: 1"
            ),
            "\n\n\n\n\na: 3\n\n\n\n\n\nb: 1",
        ),
        (
            "<% if nil %>\n<% if x %>\na: <%= y %>\n<% end %>\n<% else %>\na: 1\n<% end %>",
            "\n\n\n\n\na: 1\n",
        ),
        ("a: [1<% if true %>, 2<% else %>, 3<% end %>]", "a: [1, 2]"),
        ("a: [1<% if false %>, 2<% else %>, 3<% end %>]", "a: [1, 3]"),
        ("a: x<% if false %>\n  y\n<% end %>z", "a: xz"),
        ("s:\n  <% if 'x' -%>\n- 1\n  <%- end -%>\n  - 2\n", "s:\n\n  - 1\n\n  - 2\n"),
        ("# <% if x %>\na: 1\n# <% end %>\n", "# <% if x %>\na: 1\n# <% end %>\n"),
    ],
)
def test_conditions_on_the_environment_are_answered_and_lines_keep_their_numbers(
    text: str, expected: str
) -> None:
    assert answered(text, "deploy.yml", ENVIRONMENT) == expected


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("<% if true -%>\n" * 100_000 + "<% end -%>\n" * 100_000 + "a: 1", 200_004),
        ("<% if nil %>\n" * 100_000 + "<% end %>\n" * 100_000 + "a: 1", 200_004),
        ("<% if nil %>\n" + "<% elsif nil %>\n" * 100_000 + "<% end %>\na: 1", 100_006),
        (" " * 1_000_000 + "<%- if nil -%> <% end -%>\n" * 100_000, None),
    ],
)
def test_any_number_of_conditions_takes_time_in_proportion(text: str, out: int | None) -> None:
    made = answered(text, "deploy.yml", {})
    assert out is None or len(made) == out


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
