"""A roster brought to Slack the straightforward way, with Slack's own SDK: read everybody, change who differs, one by one.

usage: sync_slack_sdk.py ROSTER URL [--read-only]

It knows what the benchmark's rosters say and nothing else: no guards, no order, no renaming, no deactivation, no plan.
"""

import sys

import yaml
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.scim import SCIMClient

ENTERPRISE = "urn:scim:schemas:extension:enterprise:1.0"
PROFILE = "urn:scim:schemas:extension:slack:profile:1.0"
SCHEMAS = ["urn:scim:schemas:core:1.0", ENTERPRISE, PROFILE]
PAGE = 1000


def read_all(search):
    """Every resource, page by page."""
    found = []
    while True:
        page = search(count=PAGE, start_index=len(found) + 1).body
        found += page["Resources"]
        if not page["Resources"] or len(found) >= page["totalResults"]:
            return found


def ok(response):
    if not 200 <= response.status_code < 300:
        sys.exit(f"{response.url}: {response.status_code} {response.raw_body}")
    return response.body


def wanted(person, ids):
    """A person of the roster as SCIM 1.1 has them."""
    enterprise = {"employeeNumber": person["employeeNumber"], "department": person["department"]}
    if "manager" in person:
        enterprise["manager"] = {"managerId": ids[person["manager"]]}
    return {
        "userName": person["userName"],
        "name": person["name"],
        "title": person["title"],
        "timezone": person["timezone"],
        "emails": [{"value": person["email"], "primary": True}],
        "phoneNumbers": [{"value": person["phone"], "primary": True}],
        "addresses": [person["address"]],
        ENTERPRISE: enterprise,
        PROFILE: {"startDate": f"{person['startDate']}T00:00:00Z"},
    }


def holds(live, want):
    """Whether what is there has everything that is wanted; it may have more."""
    if isinstance(want, dict):
        return isinstance(live, dict) and all(holds(live.get(key), value) for key, value in want.items())
    if isinstance(want, list):
        return all(any(holds(there, value) for there in live or []) for value in want)
    return live == want


def main():
    roster_path, url = sys.argv[1:3]
    client = SCIMClient(
        token="xoxp-bench", base_url=url + "/", retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=100)]
    )
    users = read_all(client.search_users)
    groups = read_all(client.search_groups)
    if "--read-only" in sys.argv:
        return
    with open(roster_path, encoding="utf-8") as file:
        # Dates stay text.
        roster = yaml.load(file, Loader=yaml.CBaseLoader)
    ids = {user["userName"]: user["id"] for user in users}
    by_name = {user["userName"]: user for user in users}
    for person in roster["users"]:
        live, want = by_name.get(person["userName"]), wanted(person, ids)
        if live is None:
            ids[person["userName"]] = ok(client.create_user({"schemas": SCHEMAS, **want}))["id"]
            continue
        differing = {key: value for key, value in want.items() if not holds(live.get(key), value)}
        if differing:
            ok(client.patch_user(live["id"], {"schemas": SCHEMAS, **differing}))
    by_name = {group["displayName"]: group for group in groups}
    for group in roster.get("groups", []):
        want = {ids[name] for name in group["members"]}
        live = by_name.get(group["displayName"])
        if live is None:
            members = [{"value": member} for member in sorted(want)]
            ok(client.create_group({"displayName": group["displayName"], "members": members}))
            continue
        have = {member["value"] for member in live["members"]}
        change = [{"value": member} for member in sorted(want - have)]
        change += [{"value": member, "operation": "delete"} for member in sorted(have - want)]
        if change:
            ok(client.patch_group(live["id"], {"members": change}))


main()
