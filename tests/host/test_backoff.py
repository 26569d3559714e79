import pytest

from local.host.queues.backoff import Backoff


class TestNextDelay:
    def test_grows_to_the_limit_and_stays_there(self) -> None:
        backoff = Backoff(2.0, jitter=lambda: 1.0)

        waits = [backoff.next_delay(found_since_last=False) for _ in range(8)]

        assert waits == pytest.approx([0.1, 0.2, 0.3, 0.5, 0.9, 1.7, 2.0, 2.0])

    def test_starts_again_after_a_message(self) -> None:
        backoff = Backoff(2.0, jitter=lambda: 1.0)
        for _ in range(8):
            backoff.next_delay(found_since_last=False)

        assert backoff.next_delay(found_since_last=True) == pytest.approx(0.1)
        assert backoff.next_delay(found_since_last=False) == pytest.approx(0.2)

    @pytest.mark.parametrize("jitter", [0.8, 1.2])
    def test_varies_the_growing_part_alone(self, jitter: float) -> None:
        backoff = Backoff(60.0, jitter=lambda: jitter)

        waits = [backoff.next_delay(found_since_last=False) for _ in range(3)]

        assert waits == pytest.approx([0.1, 0.1 + jitter * 0.1, 0.1 + jitter * 0.2])

    def test_varies_by_a_fifth_by_itself(self) -> None:
        for _ in range(50):
            backoff = Backoff(60.0)
            backoff.next_delay(found_since_last=True)

            assert 0.18 <= backoff.next_delay(found_since_last=False) <= 0.22
