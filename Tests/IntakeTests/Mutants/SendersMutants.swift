// SPDX-License-Identifier: Apache-2.0
// The rules of the senders' writers, each taken away once: what is changed, and which check notices it.

@testable import Intake

extension SendersMutant {
    static let all = Self.facts + Self.times + Self.places + Self.authority + Self.settling + Self.locks + Self.actions

    /// Rules of the facts that one source tells.
    private static let facts = [
        Self(
            "floorIgnored", "a deletion voids what arrives later and is older", .lives,
            "membership_word = 'live' and (ended_at is null or at > ended_at)", becomes: "membership_word = 'live'"),
        Self(
            "floorTieLoses", "a join at the time of the deletion is void", .lives,
            "(ended_at is null or at > ended_at)", becomes: "(ended_at is null or at >= ended_at)"),
        Self(
            "tieLiveWins", "of a join and a leave at one time the leave wins", .lives,
            "member_state = 'none' or at > member_told)", becomes: "member_state = 'none' or at >= member_told)"),
        Self(
            "oneOrganisationIsAll", "a member of another organisation of the tenant stays", .lives,
            "memberships.tenant_id = place.tenant_id and memberships.state = 'live'",
            becomes: "memberships.tenant_id = place.tenant_id and false"),
        Self(
            "suspensionEndsMemberships", "a suspension voids nothing", .lives,
            "is_person_news and person_word = 'deleted' then at else ended_at",
            becomes: "is_person_news and person_word in ('deleted', 'suspended') then at else ended_at"),
        Self(
            "lateDeletionDropped", "a deletion that comes late counts", .lives,
            "person_word = 'deleted' and (ended_at is null or at >= ended_at)",
            becomes: "person_word = 'deleted' and at >= told_at and (ended_at is null or at >= ended_at)"),
        Self(
            "listIgnored", "who is not in a whole list has left", .lives,
            "is_whole and (listed_at is null or at >= listed_at) as is_list_news", becomes: "false as is_list_news"),
        Self(
            "newestOnFulfilledForgotten", "a repeated join moves the membership's time on", .lives,
            "where (is_member_news or binds",
            becomes: "where (is_member_news and membership_word is distinct from member_state or binds"),
        Self(
            "newestOnFulfilledForgotten (plain)", "a repeated sign-up moves the user's time on",
            .plain(
                "a delete older than a repeated sign-up is past", [(.app, true, 0), (.app, true, 9), (.app, false, 5)],
                isLive: true),
            "and (occurred_at is not null or", becomes: "and (false or"),
    ]

    private static let times = [
        Self(
            "noTimeIsNow", "a join without a time is older than all others", .lives,
            "then timestamptz 'infinity' else '-infinity' end) as at",
            becomes: "then timestamptz 'infinity' else statement_timestamp() end) as at"),
        Self(
            "noTimeDeleteIsOldest", "a deletion without a time wins for good", .lives,
            "then timestamptz 'infinity' else '-infinity' end) as at",
            becomes: "then timestamptz '-infinity' else '-infinity' end) as at"),
        Self(
            "arrivalByNode", "a word that counts as of its arrival is newer than all that it meets",
            .decision("arrival counts, whatever the clock of the join was"),
            "greatest(statement_timestamp(),", becomes: "least(word.received_at,"),
        Self(
            "otherClockTrusted", "between two sources less than five minutes is a tie",
            .decision("another source has deleted"),
            .text("users.told_by <> ordered.source_id then interval '5 minutes'", becomes: "false then interval '0'"),
            .text(
                "excluded.occurred_at > users.occurred_at + interval '5 minutes'",
                becomes: "excluded.occurred_at > users.occurred_at")),
        Self(
            "duplicateTakesLine", "another source's clock does not become the user's",
            .plain(
                "a delete that is newer by its own clock counts",
                [(.app, true, 0), (.directory, true, 3), (.app, false, 2)], isLive: false),
            """
            set occurred_at = case when excluded.occurred_at > users.occurred_at + case when users.told_by <> \
            excluded.told_by then interval '5 minutes' else interval '0' end
            """,
            becomes: "set occurred_at = case when excluded.occurred_at > users.occurred_at"),
    ]

    private static let places = [
        Self(
            "unmappedForgotten", "what is told of an organisation without a tenant is known", .partialReplay,
            "where (is_member_news or binds", becomes: "where (is_member_news and not is_unmapped or binds"),
        Self(
            "leaveByMapping", "a leave goes to where the membership is bound",
            .decision("a leave goes to where the membership is bound"),
            "coalesce(member.tenant_id is not null",
            becomes: "coalesce(member.tenant_id is not null and word.membership_word <> 'gone'"),
        Self(
            "leaveByMapping (void)", "a leave of what a deletion has voided goes there too",
            .decision("a leave of a membership that is void goes to where it was bound"),
            "(word.membership_word = 'gone'", becomes: "(false"),
        Self("headFirst", "item 0 of a large delivery comes with its last part", .crashBetweenParts, .headFirst),
        Self("markFirst", "the last item of a whole list ends it", .wholeList, .markFirst),
    ]

    /// Rules on who may undo what.
    private static let authority = [
        Self(
            "weakIsStrong", "an update lifts no operator's revoke",
            .decision("a profile edit after an operator's revoke"),
            .text("ordered.is_named and not ordered.is_weak", becomes: "ordered.is_named"),
            .text("where is_named and not is_weak)", becomes: "where is_named)")),
        Self(
            "weakIsStrong (another source)", "an update lifts no other source's leave",
            .decision("another source's leave, and an update"),
            .text("case when not ordered.is_weak and ordered.at", becomes: "case when ordered.at"),
            .text("from due where not is_weak)", becomes: "from due)")),
        Self(
            "activeLiftsHold", "a word that names no tenant lifts no operator's revoke",
            .decision("a profile edit after an operator's revoke"),
            .text("ordered.is_named and not ordered.is_weak", becomes: "not ordered.is_weak"),
            .text("where is_named and not is_weak)", becomes: "where not is_weak)")),
    ]

    private static let settling = [
        Self(
            "replayIsNow", "a replay counts as of the event's arrival", .replayByArrival,
            "(select events.occurred_at from dialtone.events where events.event_id = word.event_id)",
            becomes: "clock_timestamp()"),
        Self(
            "replayTwice", "who comes first settles an event", .replayTwice,
            "where events.outcome = 'quarantined'\nreturning event_id", becomes: "where true\nreturning event_id"),
    ]

    private static let locks = [
        Self(
            "lockedAndDecidedAtOnce", "people are locked before anything is decided", .meeting,
            .leavesOut("insert into dialtone.people (source_id, external_user)\nselect distinct")),
        Self(
            "usersLockedByWords", "users are locked in one order before the words of one transaction", .crosswise,
            .leavesOut("with word as materialized (")),
        Self(
            "amendRemoved", "a revoke that waited closes what was recorded meanwhile", .finishMeanwhile,
            .leavesOut("with gone as materialized (")),
        Self(
            "ruleAskedOnce", "the rule is asked again of a user who came meanwhile", .revokeMeanwhile,
            "where users.wanted = excluded.wanted\n   or case when excluded.wanted = 'gone'",
            becomes: "where true or case when excluded.wanted = 'gone'"),
        Self(
            "sweepWithoutLock", "housekeeping passes over a person whom intake holds", .sweep,
            "for update of people skip locked", becomes: ""),
    ]

    private static let actions = [
        Self(
            "reopenWithoutStep", "a reopening is newer than all that was told", .reopening,
            " + interval '1 microsecond'", becomes: "")
    ]
}
