"""Which function answers a request: every route is tried in name order, and the method is one more constraint."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from local.host.errors import FunctionLoadError
from local.host.loading import LoadedApp, LoadedFunction, name_order
from local.host.routes.template import Template, parse_template

_RESERVED = ("admin", "runtime")
# Deeper paths than this share one list; only catch-alls can match them anyway.
_DEEPEST = 24


@dataclass(frozen=True)
class Route:
    """One function's way in. `methods` is empty when it takes them all."""

    function: LoadedFunction
    template: Template
    methods: frozenset[str]
    text: str

    def overlaps(self, other: "Route") -> bool:
        """Whether some method belongs to both."""
        return not self.methods or not other.methods or bool(self.methods & other.methods)


@dataclass
class Router:
    """Finds the first route, in the order of function names, whose template and methods take the request.

    The lists per method and number of segments only leave out routes that cannot match, so the order stays the host's.
    """

    routes: list[Route] = field(default_factory=list)
    _by_shape: dict[tuple[str, int], list[Route]] = field(default_factory=dict, repr=False)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route and its values for a decoded path without its leading slash, or None: a 404 then."""
        segments = path.count("/") + 1 if path else 0
        if path.endswith("/"):
            segments -= 1
        shape = (method, min(segments, _DEEPEST))
        candidates = self._by_shape.get(shape)
        if candidates is None:
            candidates = self._by_shape[shape] = list(self._candidates(*shape))
        for route in candidates:
            values = route.template.match(path)
            if values is not None:
                return route, values
        return None

    def _candidates(self, method: str, segments: int) -> Iterable[Route]:
        for route in self.routes:
            template = route.template
            # A catch-all takes empty segments too, so only a count that is too small rules it out.
            fits = template.least_segments <= segments and (
                template.most_segments is None or segments <= template.most_segments
            )
            if fits and (not route.methods or method in route.methods):
                yield route


def build_router(app: LoadedApp, route_prefix: str) -> Router:
    """Return the router of all HTTP functions; one whose route the host would refuse leaves the app with its reason."""
    router = Router()
    for function in sorted((one for one in app.functions if one.kind == "http"), key=lambda one: name_order(one.name)):
        try:
            route = _route(function, route_prefix)
            _refuse_taken(route, router.routes)
        except FunctionLoadError as error:
            app.leave_out(function.name, str(error))
        else:
            router.routes.append(route)
    return router


def _route(function: LoadedFunction, route_prefix: str) -> Route:
    text = str(function.trigger.get("route") or function.name)
    if text.strip("/").lower().startswith(_RESERVED):
        raise FunctionLoadError(f"its route '{text}' begins with 'admin' or 'runtime', which the host keeps to itself.")
    try:
        template = parse_template(f"{route_prefix}/{text}" if route_prefix else text)
    except ValueError as error:
        raise FunctionLoadError(f"its route '{text}' is not valid: {error}") from error
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
    return Route(function=function, template=template, methods=methods, text=text.strip("/").lower())


def _refuse_taken(route: Route, earlier: list[Route]) -> None:
    for other in earlier:
        if other.text == route.text and other.overlaps(route):
            raise FunctionLoadError(f"its route '{route.text}' and one of its methods belong to {other.function.name}.")
