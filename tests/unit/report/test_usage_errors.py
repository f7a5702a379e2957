import pytest

from dockless.report.usage_errors import usage_error


@pytest.mark.parametrize(
    ("extra", "option"),
    [
        ("ghcr.io/acme/shop:v1", "--image ghcr.io/acme/shop:v1"),
        ("docker://localhost:5000/shop", "--image localhost:5000/shop"),
        ("acme/shop", "--image acme/shop"),
        ("shop:v2", "--image shop:v2"),
    ],
)
def test_a_target_as_the_second_argument_is_one_of_image(extra: str, option: str) -> None:
    message = f"Got unexpected extra argument ({extra})"
    error = usage_error("dockless push", message, (), "a.tar")
    assert "SOURCE is a.tar" in error.what
    assert f"dockless push a.tar {option}" in error.remedy


@pytest.mark.parametrize("extra", ["other.tar", "a/b.tar.gz", "./b", "b", "b c", "A/b", "/srv/x"])
def test_another_second_argument_is_no_target(extra: str) -> None:
    message = f"Got unexpected extra argument ({extra})"
    assert "--image" not in str(usage_error("dockless push", message, (), "a.tar"))


@pytest.mark.parametrize(
    ("typed", "near", "meant"),
    [
        ("--img", "--image --timings --via", "--image?"),
        ("--imag", "--image --image-name", "--image?"),
        ("--pass", "--password --password-stdin --parallel", "--password?"),
        ("--tags", "--tag --timings", "--tag?"),
        ("--dryrun", "--dry-run --retries", "--dry-run?"),
        ("--out", "--timeout --to", ""),
        ("--jobs", "--as --output", ""),
    ],
)
def test_only_what_is_near_is_guessed(typed: str, near: str, meant: str) -> None:
    said = " or ".join(f"'{each}'" for each in near.split())
    error = usage_error("dockless x", f"No such option '{typed}'. Did you mean {said}?", ())
    assert error.remedy == f"{f'Did you mean {meant} ' if meant else ''}See `dockless x --help`."


@pytest.mark.parametrize("command", ["mirror", "bundle create"])
def test_all_images_need_no_option_where_there_are_many(command: str) -> None:
    said = "No such option '--all'. (Possible options: '--as', '--parallel')"
    remedy = usage_error(f"dockless {command}", said, ()).remedy
    assert "without an option" in remedy
    assert "Did you mean" not in remedy


@pytest.mark.parametrize(
    ("command", "option", "meant"),
    [("push", "-u", "--username"), ("login", "-p", "--password-stdin"), ("push", "-t", "--tag")],
)
def test_a_letter_of_other_programs_has_its_option_here(
    command: str, option: str, meant: str
) -> None:
    error = usage_error(f"dockless {command}", f"No such option '{option}'.", ())
    assert f"Did you mean {meant}?" in error.remedy


@pytest.mark.parametrize(
    "command", ["login", "logout", "whoami", "push", "mirror", "verify", "doctor"]
)
@pytest.mark.parametrize(
    "extra",
    ["hunter2", "me hunter2", "me:hunter2", "Hunter2!/x.y", "hunter2 shop.tar", "./hunter2"],
)
def test_what_may_be_a_password_is_not_shown(command: str, extra: str) -> None:
    plural = "s" if " " in extra else ""
    message = f"Got unexpected extra argument{plural} ({extra})"
    error = usage_error(f"dockless {command}", message, (), "a.tar")
    assert "unter2" not in f"{error.what} {error.remedy}"
    assert "an argument too many" in error.what
    assert "--password-stdin" in error.remedy


@pytest.mark.parametrize("extra", ["ghcr.io/acme/shop:v1", "registry.example.com", "shop.tar"])
@pytest.mark.parametrize("command", ["login", "logout", "whoami"])
def test_no_argument_too_many_of_a_login_is_shown(command: str, extra: str) -> None:
    message = f"Got unexpected extra argument ({extra})"
    assert extra not in str(usage_error(f"dockless {command}", message, ()))


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("push", "other.tar"),
        ("push", "b.tar.gz c.tgz"),
        ("mirror", "images.txt"),
        ("hosts", "192.0.2.7"),
        ("bundle verify", "disk"),
        ("cache prune", "all"),
    ],
)
def test_files_and_arguments_of_commands_without_passwords_are_shown(
    command: str, extra: str
) -> None:
    message = f"Got unexpected extra argument ({extra})"
    error = usage_error(f"dockless {command}", message, (), "a.tar")
    assert f"cannot use the argument {extra}." in error.what
