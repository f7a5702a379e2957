from dockless.model.timings import Timings


def test_the_time_of_a_step_adds_up() -> None:
    timings = Timings(iter((10.0, 11.5, 20.0, 20.5)).__next__)
    for _ in range(2):
        with timings.of("upload"):
            pass
    assert timings.seconds == {"upload": 2.0}


def test_waiting_for_items_is_told_from_using_them() -> None:
    timings = Timings(iter((0.0, 1.0, 5.0, 7.0, 9.0, 9.5)).__next__)
    assert list(timings.each("read", "ab")) == ["a", "b"]
    assert timings.seconds == {"read": 3.5}
