"""Which steps make up the main job? Seven verbs, in the order of the design's walk."""

from huiqi.bootstrap.house import House, Server
from huiqi.cli.demo.agreeing import Agreeing
from huiqi.cli.demo.api import Api
from huiqi.cli.demo.progress import Progress
from huiqi.cli.demo.proving import Proving
from huiqi.cli.demo.publishing import Publishing
from huiqi.cli.demo.settling import Settling
from huiqi.cli.demo.space import PASSWORD, PEOPLE
from huiqi.cli.demo.using import Using
from huiqi.kernel.text import Text


class MainJob:
    """publish, discover, negotiate, sign, use, evidence, settle."""

    def __init__(self, server: Server, house: House, progress: Progress) -> None:
        self._server, self._house, self._progress = server, house, progress

    def run(self) -> None:
        """Every step; the first that does not do what it should ends the job.

        Raises:
            StepFailed: a step went wrong.
        """
        people = {
            person.prefix: Api(
                self._server.address(person.prefix),
                (person.login, PASSWORD),
                self._progress.language,
            )
            for person in PEOPLE
        }
        try:
            self._run(people)
        finally:
            for api in people.values():
                api.close()

    def _run(self, people: dict[str, Api]) -> None:
        say = self._progress.begin
        say(Text("一 发布", "1 Publish"))
        products = Publishing(people, self._progress).run()
        agreeing = Agreeing(people, self._progress, products)
        say(Text("二 发现", "2 Discover"))
        agreeing.discover()
        say(Text("三 协商", "3 Negotiate"))
        contracts = agreeing.negotiate()
        say(Text("四 签署", "4 Sign"))
        agreeing.sign(contracts)
        say(Text("五 使用", "5 Use"))
        using = Using(people, self._progress, contracts)
        using.run()
        say(Text("六 存证", "6 Evidence"))
        Proving(people, self._progress, self._house).run(using.receipt_ids)
        say(Text("七 结算", "7 Settle"))
        Settling(people, self._progress).run()
