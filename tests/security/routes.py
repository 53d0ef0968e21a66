"""Who may call what: one line for each route and method, and the routes that the URLconf has.

A line is a method, a path and what each of these gets: somebody who is not signed in, a viewer,
a user whom the object does not belong to, the user whom it belongs to, an admin.

- `in`: sent to the sign-in page. `admin`: sent to the sign-in page of the Django admin.
- `404/200`: 404 where the workflow is private, 200 where it is shared with everyone.
- In `API`, the last word is the scope that an access token needs: `none` where nobody has to say
  who they are, `session` where no token will do. Below /api/admin/ it needs `admin` besides.

A method that has no line is refused with 405, and HEAD is what GET is. Placeholders are named for
what they stand for; `tests/security/world.py` makes one of each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver

ROLES: Final = ("anonymous", "viewer", "other", "owner", "admin")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
SAFE: Final = ("GET", "HEAD", "OPTIONS")
WHERE: Final = "tests/security/routes.py"

PAGES: Final = """
#      path                                            anonymous viewer  other   owner admin
GET    /                                               200       302     302     302   302
GET    /favicon.ico                                    302       302     302     302   302
GET    /signup                                         200       302     302     302   302
POST   /signup                                         302       302     302     302   302
GET    /signin                                         200       302     302     302   302
POST   /signin                                         302       302     302     302   302
POST   /signout                                        302       302     302     302   302
GET    /reset                                          200       200     200     200   200
POST   /reset                                          302       302     302     302   302
GET    /reset/sent                                     200       200     200     200   200
GET    /reset/confirm                                  200       200     200     200   200
POST   /reset/confirm                                  302       302     302     302   302
GET    /verify                                         200       200     200     200   200
POST   /verify                                         302       302     302     302   302

GET    /reauthenticate                                 in        200     200     200   200
POST   /reauthenticate                                 in        302     302     302   302
GET    /profile                                        in        200     200     200   200
POST   /profile                                        in        302     302     302   302
GET    /profile/password                               in        200     200     200   200
POST   /profile/password                               in        302     302     302   302
GET    /profile/email                                  in        200     200     200   200
POST   /profile/email                                  in        302     302     302   302
POST   /profile/email/verify                           in        302     302     302   302
GET    /profile/tokens                                 in        200     200     200   200
GET    /profile/tokens/new                             in        200     200     200   200
POST   /profile/tokens/new                             in        201     201     201   201
POST   /profile/tokens/{token}/delete                  in        404     404     302   404
POST   /profile/sessions/end-others                    in        302     302     302   302
POST   /profile/sessions/{session}/end                 in        404     404     302   404

GET    /dashboard                                      in        200     200     200   200
POST   /dashboard                                      in        403     302     302   302
GET    /workflows                                      in        200     200     200   200
GET    /workflows/new                                  in        403     200     200   200
POST   /workflows/new                                  in        403     302     302   302
POST   /workflows/check                                in        403     200     200   200
POST   /workflows/preview                              in        403     200     200   200
GET    /workflows/import                               in        403     200     200   200
POST   /workflows/import                               in        403     302     302   302
GET    /workflows/{workflow}                           in        404/200 404/200 200   200
GET    /workflows/{workflow}/edit                      in        404/403 404/403 200   200
POST   /workflows/{workflow}/edit                      in        404/403 404/403 302   302
POST   /workflows/{workflow}/test                      in        404/403 404/403 200   200
GET    /workflows/{workflow}/export                    in        404/200 404/200 200   200
POST   /workflows/{workflow}/copy                      in        404/403 404/302 302   302
GET    /workflows/{workflow}/versions                  in        404/200 404/200 200   200
GET    /workflows/{workflow}/versions/{n}              in        404/200 404/200 200   200
GET    /workflows/{workflow}/versions/{n}/diff/{m}     in        404/200 404/200 200   200
POST   /workflows/{workflow}/versions/{n}/restore      in        404/403 404/403 302   302
POST   /workflows/{workflow}/delete                    in        404/403 404/403 302   302
GET    /workflows/{workflow}/run                       in        404/403 404/403 200   200
POST   /workflows/{workflow}/run                       in        404/403 404/403 302   302

GET    /executions                                     in        200     200     200   200
GET    /executions/{execution}                         in        404     404     200   200
GET    /executions/{execution}/test                    in        404     404     200   200
GET    /executions/{execution}/tasks/{task}            in        404     404     302   302
GET    /executions/{execution}/tasks/{task}/output     in        404     404     200   200
GET    /executions/{execution}/outputs                 in        404     404     200   200
POST   /executions/{execution}/cancel                  in        404     404     302   302

GET    /templates                                      in        200     200     200   200
GET    /templates/{template}                           in        200     200     200   200
POST   /templates/{template}/use                       in        403     302     302   302

GET    /keys                                           in        200     200     200   200
POST   /keys                                           in        403     302     302   302
GET    /keys/{key}/edit                                in        404     404     200   403
POST   /keys/{key}/edit                                in        404     404     302   403
POST   /keys/{key}/test                                in        404     404     302   403
POST   /keys/{key}/toggle                              in        404     404     302   302
POST   /keys/{key}/delete                              in        404     404     302   302

GET    /manage/users                                   in        403     403     403   200
GET    /manage/users/{user}                            in        403     403     403   200
POST   /manage/users/{user}/role                       in        403     403     403   302
POST   /manage/users/{user}/activity                   in        403     403     403   302
POST   /manage/users/{user}/sessions/end               in        403     403     403   302
POST   /manage/users/{user}/sessions/{session}/end     in        403     403     403   302
GET    /manage/audit                                   in        403     403     403   200
GET    /manage/audit.csv                               in        403     403     403   200
GET    /manage/workflows                               in        403     403     403   200
GET    /manage/executions                              in        403     403     403   200
POST   /manage/executions                              in        403     403     403   302
GET    /manage/metrics                                 in        403     403     403   200
GET    /manage/metrics/requests                        in        403     403     403   200
GET    /manage/errors                                  in        403     403     403   200
GET    /manage/errors/{error}                          in        403     403     403   200
POST   /manage/errors/{error}/resolve                  in        403     403     403   302
POST   /manage/errors/{error}/ignore                   in        403     403     403   302
POST   /manage/errors/{error}/reopen                   in        403     403     403   302
GET    /manage/alerts                                  in        403     403     403   200
POST   /manage/alerts                                  in        403     403     403   302
GET    /manage/alerts/{alert}                          in        403     403     403   200
POST   /manage/alerts/{alert}                          in        403     403     403   302
POST   /manage/alerts/silences/{silence}/end           in        403     403     403   302
GET    /manage/alerts/rules/new                        in        403     403     403   200
POST   /manage/alerts/rules/new                        in        403     403     403   302
GET    /manage/alerts/rules/{rule}                     in        403     403     403   200
POST   /manage/alerts/rules/{rule}                     in        403     403     403   302
POST   /manage/alerts/rules/{rule}/delete              in        403     403     403   302
GET    /manage/alerts/channels                         in        403     403     403   200
GET    /manage/alerts/channels/new                     in        403     403     403   200
POST   /manage/alerts/channels/new                     in        403     403     403   302
GET    /manage/alerts/channels/{channel}               in        403     403     403   200
POST   /manage/alerts/channels/{channel}               in        403     403     403   302
POST   /manage/alerts/channels/{channel}/test          in        403     403     403   302
POST   /manage/alerts/channels/{channel}/delete        in        403     403     403   302
GET    /manage/stats                                   in        403     403     403   200
GET    /manage/traffic                                 in        403     403     403   200
GET    /manage/storage                                 in        403     403     403   200
POST   /manage/storage                                 in        403     403     403   200
GET    /manage/health                                  in        403     403     403   200
# Its token is another one, and where none is set there is no such page.
GET    /metrics                                        404       404     404     404   404
"""

API: Final = """
#      path                                            anonymous viewer  other   owner admin scope
GET    /api/health                                     200       200     200     200   200   none
GET    /api/health/live                                200       200     200     200   200   none
GET    /api/health/ready                               200       200     200     200   200   none
GET    /api/metrics                                    401       403     403     403   200   read
GET    /api/metrics/names                              401       403     403     403   200   read
POST   /api/telemetry                                  202       202     202     202   202   write
POST   /api/errors                                     202       202     202     202   202   write
GET    /api/errors                                     401       403     403     403   200   read
GET    /api/errors/{error}                             401       403     403     403   200   read
POST   /api/errors/{error}/resolve                     401       403     403     403   200   write
POST   /api/errors/{error}/ignore                      401       403     403     403   200   write
POST   /api/errors/{error}/reopen                      401       403     403     403   200   write
GET    /api/alerts                                     401       403     403     403   200   read
GET    /api/alerts/{alert}                             401       403     403     403   200   read
GET    /api/alert-rules                                401       403     403     403   200   read
POST   /api/alert-rules                                401       403     403     403   201   write
GET    /api/alert-rules/{rule}                         401       403     403     403   200   read
PATCH  /api/alert-rules/{rule}                         401       403     403     403   200   write
DELETE /api/alert-rules/{rule}                         401       403     403     403   204   write
GET    /api/alert-silences                             401       403     403     403   200   read
POST   /api/alert-silences                             401       403     403     403   201   write
DELETE /api/alert-silences/{silence}                   401       403     403     403   204   write
GET    /api/channels                                   401       403     403     403   200   read
POST   /api/channels                                   401       403     403     403   201   write
GET    /api/channels/{channel}                         401       403     403     403   200   read
PATCH  /api/channels/{channel}                         401       403     403     403   200   write
DELETE /api/channels/{channel}                         401       403     403     403   204   write
POST   /api/channels/{channel}/test                    401       403     403     403   200   write
GET    /api/schema                                     200       200     200     200   200   none
GET    /api/docs                                       200       200     200     200   200   none

POST   /api/auth/register                              201       201     201     201   201   none
POST   /api/auth/login                                 200       200     200     200   200   none
POST   /api/auth/logout                                401       204     204     204   204   session
GET    /api/auth/me                                    401       200     200     200   200   read
PATCH  /api/auth/me                                    401       200     200     200   200   write
POST   /api/auth/password                              401       204     204     204   204   session
POST   /api/auth/reauthenticate                        401       204     204     204   204   session
POST   /api/auth/reset                                 202       202     202     202   202   none
POST   /api/auth/reset/confirm                         204       204     204     204   204   none
POST   /api/auth/verify                                204       204     204     204   204   none
POST   /api/auth/verify/send                           401       202     202     202   202   session
GET    /api/auth/tokens                                401       200     200     200   200   session
POST   /api/auth/tokens                                401       201     201     201   201   session
DELETE /api/auth/tokens/{token}                        401       404     404     204   404   session
GET    /api/auth/sessions                              401       200     200     200   200   session
DELETE /api/auth/sessions                              401       204     204     204   204   session
DELETE /api/auth/sessions/{session}                    401       404     404     204   404   session

GET    /api/workflows                                  401       200     200     200   200   read
POST   /api/workflows                                  401       403     201     201   201   write
GET    /api/workflows/schema                           200       200     200     200   200   none
POST   /api/workflows/validate                         401       200     200     200   200   read
POST   /api/workflows/import                           401       403     201     201   201   write
GET    /api/workflows/{workflow}                       401       404/200 404/200 200   200   read
PUT    /api/workflows/{workflow}                       401       404/403 404/403 200   200   write
PATCH  /api/workflows/{workflow}                       401       404/403 404/403 200   200   write
DELETE /api/workflows/{workflow}                       401       404/403 404/403 204   204   write
POST   /api/workflows/{workflow}/execute               401       404/403 404/403 202   202   run
GET    /api/workflows/{workflow}/export                401       404/200 404/200 200   200   read
POST   /api/workflows/{workflow}/copy                  401       404/403 404/201 201   201   write
GET    /api/workflows/{workflow}/versions              401       404/200 404/200 200   200   read
GET    /api/workflows/{workflow}/versions/{n}          401       404/200 404/200 200   200   read
GET    /api/workflows/{workflow}/versions/{n}/diff/{m} 401       404/200 404/200 200   200   read
POST   /api/workflows/{workflow}/versions/{n}/restore  401       404/403 404/403 200   200   write

GET    /api/executions                                 401       200     200     200   200   read
GET    /api/executions/{execution}                     401       404     404     200   200   read
GET    /api/executions/{execution}/stream              401       404     404     200   200   read
POST   /api/executions/{execution}/cancel              401       404     404     202   202   run

GET    /api/keys                                       401       200     200     200   200   read
POST   /api/keys                                       401       403     201     201   201   session
PATCH  /api/keys/{key}                                 401       404     404     200   403   session
DELETE /api/keys/{key}                                 401       404     404     204   204   session
POST   /api/keys/{key}/test                            401       404     404     200   403   run

GET    /api/models                                     401       200     200     200   200   read
GET    /api/templates                                  401       200     200     200   200   read
GET    /api/templates/{template}                       401       200     200     200   200   read
POST   /api/templates/{template}/use                   401       403     201     201   201   write

GET    /api/admin/audit                                401       403     403     403   200   read
GET    /api/admin/audit.csv                            401       403     403     403   200   read
GET    /api/admin/users                                401       403     403     403   200   read
GET    /api/admin/users/{user}                         401       403     403     403   200   read
PATCH  /api/admin/users/{user}                         401       403     403     403   200   session
DELETE /api/admin/users/{user}/sessions                401       403     403     403   204   session
GET    /api/admin/workflows                            401       403     403     403   200   read
GET    /api/admin/executions                           401       403     403     403   200   read
GET    /api/admin/stats                                401       403     403     403   200   read
GET    /api/admin/storage                              401       403     403     403   200   read
"""

# The Django admin: what an admin gets from the pages of each model, by GET. The other roles are
# sent away from all of them.
ADMIN_MODELS: Final = """
#   model                      list add  change history delete
    accounts.user              200  200  200    200     200
    accounts.accesstoken       200  403  200    200     200
    accounts.session           200  403  200    200     200
    workflows.apikey           200  403  200    200     200
    workflows.execution        200  403  200    200     403
    workflows.executionevent   200  403  200    200     403
    workflows.spendentry       200  403  200    200     403
    workflows.taskresult       200  403  200    200     403
    workflows.worker           200  403  200    200     403
    workflows.workflow         200  403  200    200     200
    workflows.workflowversion  200  403  200    200     403
"""
ADMIN: Final = """
#      path                                            anonymous viewer  other   owner admin
GET    /admin/                                         admin     admin   admin   admin 200
GET    /admin/login/                                   in        403     403     403   302
POST   /admin/login/                                   in        403     403     403   302
POST   /admin/logout/                                  302       302     302     302   302
GET    /admin/password_change/                         admin     admin   admin   admin 302
POST   /admin/password_change/                         admin     admin   admin   admin 302
GET    /admin/password_change/done/                    admin     admin   admin   admin 200
GET    /admin/jsi18n/                                  admin     admin   admin   admin 200
GET    /admin/autocomplete/                            admin     admin   admin   admin 403
GET    /admin/accounts/                                admin     admin   admin   admin 200
GET    /admin/workflows/                               admin     admin   admin   admin 200
GET    /admin/r/{content_type_id}/{object_id}/         admin     admin   admin   admin 404
"""
# Routes that answer every method, whoever asks, with one status.
CATCH_ALL: Final = {"/api": 404, "/api/": 404, "/api/{rest}": 404, "/admin/{url}": 404}


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of a table: what a method of a route answers."""

    method: str
    path: str
    statuses: dict[str, str]
    scope: str = ""

    def expected(self, role: str, *, shared: bool) -> str:
        """What that role gets; of a workflow that is shared, or of what belongs to it."""
        private, _, public = self.statuses[role].partition("/")
        return (public or private) if shared else private

    @property
    def has_variants(self) -> bool:
        """Whether it is about something that belongs to a workflow."""
        return "{workflow}" in self.path or "{execution}" in self.path


@cache
def rules(kind: str) -> tuple[Rule, ...]:
    """The lines of `pages`, `api` or `admin`."""
    table = {"pages": PAGES, "api": API, "admin": ADMIN}[kind]
    found = [_rule(words) for words in _lines(table)]
    return tuple([*found, *_admin_models()] if kind == "admin" else found)


def _lines(table: str) -> Iterator[list[str]]:
    for line in table.splitlines():
        words = line.split()
        if words and words[0] != "#":
            yield words


def _rule(words: list[str]) -> Rule:
    method, path, *rest = words
    statuses = dict(zip(ROLES, rest, strict=False))
    return Rule(method, path, statuses, "".join(rest[len(ROLES) :]))


def _admin_models() -> Iterator[Rule]:
    for name, *statuses in _lines(ADMIN_MODELS):
        base = f"/admin/{name.replace('.', '/')}/"
        tails = ("", "add/", "{id}/change/", "{id}/history/", "{id}/delete/", "{id}/")
        for tail, status in zip(tails, [*statuses, "302"], strict=True):
            sent_away = dict.fromkeys(ROLES, "admin")
            yield Rule("GET", base + tail.replace("id", name), {**sent_away, "admin": status})


def kind_of(path: str) -> str:
    """The table that a path belongs to."""
    if path.startswith("/admin/"):
        return "admin"
    return "api" if path.startswith("/api/") or path == "/api" else "pages"


def routes() -> list[str]:
    """The path of every route that there is, in the words of the tables."""
    return list(
        dict.fromkeys(path for found in _walk(get_resolver(), "/") for path in _named(found))
    )


def _walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path
        else:
            yield from _walk(entry, path)


def _named(path: str) -> list[str]:
    """A path of the URLconf with its placeholders named for what stands there."""
    if "app_label" in path:
        # The admin's regular expression names its apps.
        labels = re.search(r"\(\?P<app_label>([a-z|_]+)\)", path)
        assert labels, path
        return [f"/admin/{label}/" for label in labels[1].split("|")]
    path = re.sub(r"\(\?P<url>\.\*\)\$", "{url}", path)
    model = re.match(r"/admin/(\w+)/(\w+)/", path)
    if model:
        path = path.replace("<path:object_id>", f"{{{model[1]}.{model[2]}}}")
    path = re.sub(r"/((?:\w+-)?(\w+)s)/<uuid:\w+>", r"/\1/{\2}", path)
    for given, word in (("number", "n"), ("other", "m"), ("slug", "template"), ("task_id", "task")):
        path = re.sub(rf"<\w+:{given}>", f"{{{word}}}", path)
    return [re.sub(r"<\w+:(\w+)>", r"{\1}", path)]
