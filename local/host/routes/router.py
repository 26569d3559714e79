"""Which function answers a request: every route is tried in name order, and the method is one more constraint."""

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


@dataclass(frozen=True)
class _Candidates:
    """The routes that a request of one method and depth could match, told apart by one segment of the path."""

    segment: int
    by_literal: dict[str, tuple[Route, ...]]
    others: tuple[Route, ...]


@dataclass
class Router:
    """Finds the first route, in the order of function names, whose template and methods take the request.

    What is kept per method, depth and literal only leaves out routes that cannot match, so the order stays the host's.
    """

    routes: list[Route] = field(default_factory=list)
    _by_shape: dict[tuple[str, int], _Candidates] = field(default_factory=dict, repr=False)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route and its values for a decoded path without its leading slash, or None: a 404 then."""
        segments = path.split("/")
        if not segments[-1]:
            segments.pop()
        shape = (method, min(len(segments), _DEEPEST))
        candidates = self._by_shape.get(shape)
        if candidates is None:
            candidates = self._by_shape[shape] = self._candidates(*shape)
        routes = candidates.others
        if candidates.by_literal:
            routes = candidates.by_literal.get(segments[candidates.segment].lower(), routes)
        for route in routes:
            values = route.template.match(path)
            if values is not None:
                return route, values
        return None

    def _candidates(self, method: str, depth: int) -> _Candidates:
        routes = [
            route
            for route in self.routes
            if route.template.fits_depth(depth) and (not route.methods or method in route.methods)
        ]
        literals = [{route.template.literal(at) for route in routes} - {None} for at in range(depth)]
        segment = max(range(depth), key=lambda at: len(literals[at]), default=0)
        told_apart = [literal for literal in literals[segment] if literal] if literals else []
        return _Candidates(
            segment=segment,
            by_literal={
                literal: tuple(route for route in routes if route.template.literal(segment) in (literal, None))
                for literal in told_apart
            },
            others=tuple(route for route in routes if route.template.literal(segment) is None),
        )


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
