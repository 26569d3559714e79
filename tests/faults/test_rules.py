import pytest

from local.faults.rules import Fault, FaultRules, Operation, Rule, queue_operation, table_operation


def fired(rules: FaultRules, count: int, operation: Operation = Operation.GET) -> list[bool]:
    return [rules.decide(operation, "GET", "/t(PartitionKey='p',RowKey='k')") is not None for _ in range(count)]


class TestDecide:
    def test_without_rules_everything_passes_and_is_counted(self) -> None:
        rules = FaultRules()

        assert fired(rules, 3) == [False, False, False]
        assert rules.seen == {Operation.GET: 3}

    def test_skips_then_fires_so_many_times(self) -> None:
        rules = FaultRules()
        rules.add(Rule(fault=Fault.BUSY, skip=1, times=2))

        assert fired(rules, 5) == [False, True, True, False, False]
        assert rules.fired == {"get busy": 2}

    def test_meets_only_what_a_rule_names(self) -> None:
        rules = FaultRules()
        rules.add(Rule(fault=Fault.BUSY, operation=Operation.PAGE))
        rules.add(Rule(fault=Fault.BUSY, method="POST"))
        rules.add(Rule(fault=Fault.BUSY, path="RowKey='other'"))

        assert fired(rules, 1) == [False]

    def test_lets_the_next_rule_decide_when_one_is_used_up(self) -> None:
        rules = FaultRules()
        rules.add(Rule(fault=Fault.RESET, times=1))
        rules.add(Rule(fault=Fault.BUSY, times=1))

        faults = [rules.decide(Operation.GET, "GET", "/") for _ in range(3)]

        assert [rule and rule.fault for rule in faults] == [Fault.RESET, Fault.BUSY, None]

    def test_draws_alike_from_the_same_seed(self) -> None:
        def run(seed: int) -> list[bool]:
            rules = FaultRules(seed=seed)
            rules.add(Rule(fault=Fault.BUSY, probability=0.3))
            return fired(rules, 200)

        assert run(1) == run(1)
        assert run(1) != run(2)
        assert 30 < sum(run(1)) < 90

    def test_forgets_removed_rules(self) -> None:
        rules = FaultRules()
        number = rules.add(Rule(fault=Fault.BUSY))

        rules.remove(number)

        assert fired(rules, 1) == [False]


class TestRule:
    def test_refuses_a_pattern_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="regular expression"):
            Rule(fault=Fault.BUSY, path="(")


class TestOperations:
    @pytest.mark.parametrize(
        ("method", "path", "operation"),
        [
            ("POST", "/a/q/messages?visibilitytimeout=2", Operation.SEND),
            ("GET", "/a/q/messages?numofmessages=1", Operation.RECEIVE),
            ("GET", "/a/q/messages?peekonly=true", Operation.PEEK),
            ("DELETE", "/a/q/messages/1?popreceipt=x", Operation.DELETE_MESSAGE),
            ("GET", "/a/q?comp=metadata", Operation.DEPTH),
            ("PUT", "/a/q", Operation.OTHER),
        ],
    )
    def test_of_queues_are_named(self, method: str, path: str, operation: Operation) -> None:
        assert queue_operation(method, path) is operation

    @pytest.mark.parametrize(
        ("method", "path", "headers", "operation"),
        [
            ("GET", "/a/t(PartitionKey=%27p%27,RowKey=%27k%27)", {}, Operation.GET),
            ("GET", "/a/t()?$filter=x", {}, Operation.PAGE),
            ("POST", "/a/t", {}, Operation.INSERT),
            ("PUT", "/a/t(PartitionKey=%27p%27,RowKey=%27k%27)", {"If-Match": "x"}, Operation.REPLACE),
            ("PUT", "/a/t(PartitionKey=%27p%27,RowKey=%27k%27)", {}, Operation.UPSERT),
            ("DELETE", "/a/t(PartitionKey=%27p%27,RowKey=%27k%27)", {"If-Match": "x"}, Operation.DELETE),
            ("POST", "/a/$batch", {}, Operation.TRANSACTION),
            ("POST", "/a/Tables", {}, Operation.OTHER),
        ],
    )
    def test_of_tables_are_named(self, method: str, path: str, headers: dict[str, str], operation: Operation) -> None:
        assert table_operation(method, path, headers) is operation
