// SPDX-License-Identifier: Apache-2.0
// The sender of every preset, with a sign-up as it sends it.

extension HostileSender {
    static let all = [
        standard, svix, clerk, workos, auth0, auth0Logs, okta, stytch, stytchConsumer, supabaseDB, supabaseHook,
        cognito, keycloak, cloudEvents,
    ]

    private static let standard = HostileSender(
        preset: "standard", proof: .standard("webhook"),
        template: #"{"type":"user.created","timestamp":TIME,"data":{"user_id":USER,"tenant_id":ORG}}"#,
        batch: #"{"type":"user.created","data":[EVENTS]}"#)

    private static let svix = HostileSender(
        preset: "svix", proof: .standard("svix"),
        template: #"{"type":"user.created","timestamp":TIME,"data":{"user_id":USER,"tenant_id":ORG}}"#)

    private static let clerk = HostileSender(
        preset: "clerk", proof: .standard("svix"),
        template: """
            {"type":"organizationMembership.created","object":"event","timestamp":TIME_MS,
             "data":{"id":"orgmem_1","organization":{"id":ORG},"public_user_data":{"user_id":USER,"first_name":"A"}}}
            """, isMembershipAlone: true)

    private static let workos = HostileSender(
        preset: "workos", proof: .list("workos-signature"),
        template: """
            {"id":"ID","event":"organization_membership.created","created_at":TIME,
             "data":{"id":"om_1","user_id":USER,"organization_id":ORG,"status":"active"}}
            """, isMembershipAlone: true)

    private static let auth0 = HostileSender(
        preset: "auth0", proof: .bearer,
        template: """
            {"id":"ID","specversion":"1.0","type":"organization.member.added","time":TIME,
             "data":{"object":{"organization":{"id":ORG},"user":{"user_id":USER}}}}
            """, isMembershipAlone: true)

    private static let auth0Logs = HostileSender(
        preset: "auth0-logs", proof: .header("authorization"),
        template: """
            {"log_id":"ID","data":{"type":"organization_member_added","date":TIME,"user_id":USER,"organization_id":ORG}}
            """, isMembershipAlone: true, batch: "[EVENTS]")

    private static let okta = HostileSender(
        preset: "okta", proof: .header("authorization"),
        template: """
            {"eventType":"com.okta.event_hook","data":{"events":[{"uuid":"ID","published":TIME,
             "eventType":"group.user_membership.add","outcome":{"result":"SUCCESS"},
             "target":[{"id":USER,"type":"User"},{"id":ORG,"type":"UserGroup"}]}]}}
            """, isMembershipAlone: true, batch: #"{"data":{"events":[EVENTS]}}"#)

    private static let stytch = HostileSender(
        preset: "stytch", proof: .standard("svix"),
        template: """
            {"event_id":"event-1","action":"CREATE","object_type":"member","source":"DIRECT","id":USER,
             "timestamp":TIME,"member":{"organization_id":ORG,"status":"active","name":"A"}}
            """)

    private static let stytchConsumer = HostileSender(
        preset: "stytch-consumer", proof: .standard("svix"),
        template: """
            {"action":"CREATE","object_type":"user","id":USER,"timestamp":TIME,
             "user":{"trusted_metadata":{"tenant":ORG}}}
            """)

    private static let supabaseDB = HostileSender(
        preset: "supabase-db", proof: .header("x-dialtone-key"),
        template: """
            {"type":"INSERT","schema":"auth","table":"users","old_record":null,
             "record":{"id":USER,"created_at":TIME,"updated_at":TIME,"raw_app_meta_data":{"tenant_id":ORG},
             "is_anonymous":false}}
            """, isUserInID: true)

    private static let supabaseHook = HostileSender(
        preset: "supabase-hook", proof: .standard("webhook"),
        template: """
            {"metadata":{"uuid":"ID","name":"after-user-created","time":TIME},
             "user":{"id":USER,"app_metadata":{"tenant_id":ORG},"is_anonymous":false}}
            """)

    private static let cognito = HostileSender(
        preset: "cognito", proof: .standard("webhook"),
        template: """
            {"userPoolId":"pool","triggerSource":"PostConfirmation_ConfirmSignUp",
             "request":{"userAttributes":{"sub":USER,"custom:tenant_id":ORG}}}
            """, isUserInID: true)

    private static let keycloak = HostileSender(
        preset: "keycloak", proof: .hexadecimal("x-keycloak-signature"),
        template: """
            {"type":"access.REGISTER","uid":"ID","time":TIME_MS,"realmName":ORG,"authDetails":{"userId":USER}}
            """)

    private static let cloudEvents = HostileSender(
        preset: "cloudevents", proof: .bearer,
        template: """
            {"specversion":"1.0","type":"user.created","source":"urn:a","id":"ID","subject":USER,"tenantid":ORG,
             "time":TIME}
            """, contentType: "application/cloudevents+json", batch: "[EVENTS]")
}
