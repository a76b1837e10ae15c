// SPDX-License-Identifier: Apache-2.0
// stub
extension OnboardingWorker {
    func sweepNowAndThen() async {}
}
