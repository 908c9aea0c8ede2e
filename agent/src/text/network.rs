//! What stands in the way to the relay, for a customer: what happened, then what to do.

use alongside::protocol::obstacle::{Obstacle, ObstacleKind};

use super::{Id, Slot, Text, Words, sentences::sentences};

sentences! {
    pub enum Trouble;

    NoNetwork =
        "This device is not connected to a network.",
        "Dieses Gerät ist mit keinem Netz verbunden.",
        "此裝置未連接到網路。";
    NoNetworkNext =
        "See that the network cable is plugged in, then try again.",
        "Prüfen Sie, ob das Netzwerkkabel steckt, und versuchen Sie es erneut.",
        "請確認網路線已插好，然後再試一次。";
    RelayDown =
        "The assistance service is not running, or a firewall refuses it.",
        "Der Unterstützungsdienst läuft nicht, oder eine Firewall weist ihn ab.",
        "協助服務沒有運作，或被防火牆拒絕。";
    RelayDownNext =
        "Try again in a few minutes. If it stays like this, tell the support person.",
        "Versuchen Sie es in einigen Minuten erneut. Bleibt es so, sagen Sie es der Person vom Support.",
        "請過幾分鐘再試。若仍然如此，請告訴支援人員。";
    NotARelay =
        "What answered is not the assistance service.",
        "Was geantwortet hat, ist nicht der Unterstützungsdienst.",
        "回應的並非協助服務。";
    CertificateDate =
        "The certificate of the assistance service is not valid today.",
        "Das Zertifikat des Unterstützungsdienstes gilt heute nicht.",
        "協助服務的憑證今天無效。";
    CertificateDateNext =
        "See that date and time of this device are right. If they are, tell the support person.",
        "Prüfen Sie Datum und Uhrzeit dieses Geräts. Stimmen sie, sagen Sie es der Person vom Support.",
        "請確認此裝置的日期與時間正確。若正確，請告訴支援人員。";
    Clock =
        "The clock of this device is wrong, so the assistance service cannot be checked.",
        "Die Uhr dieses Geräts geht falsch, daher lässt sich der Unterstützungsdienst nicht prüfen.",
        "此裝置的時鐘有誤，因此無法查驗協助服務。";
    ClockNext =
        "Set date and time of this device, then try again.",
        "Stellen Sie Datum und Uhrzeit dieses Geräts und versuchen Sie es erneut.",
        "請設定此裝置的日期與時間，然後再試一次。";
    NoRoots =
        "This device has no list of trusted certificates.",
        "Dieses Gerät hat keine Liste vertrauenswürdiger Zertifikate.",
        "此裝置沒有可信任憑證的清單。";
    NoRootsNext =
        "Ask whoever set up this device to add the certificate of the service.",
        "Bitten Sie, wer dieses Gerät eingerichtet hat, das Zertifikat des Dienstes einzutragen.",
        "請設定此裝置的人員加入該服務的憑證。";
    Intercepted =
        "Something in this network opens the encrypted connection.",
        "Etwas in diesem Netz öffnet die verschlüsselte Verbindung.",
        "此網路中有裝置會開啟加密的連線。";
    InterceptedBy =
        "Something in this network opens the encrypted connection: {name}.",
        "Etwas in diesem Netz öffnet die verschlüsselte Verbindung: {name}.",
        "此網路中有裝置會開啟加密的連線：{name}。";
    TlsBroken =
        "The encrypted connection is broken on the way.",
        "Die verschlüsselte Verbindung bricht unterwegs ab.",
        "加密的連線在途中中斷。";
    InterceptedNext =
        "Ask your network administrator not to inspect connections to the assistance service.",
        "Bitten Sie Ihre Netzwerkadministration, Verbindungen zum Unterstützungsdienst nicht zu untersuchen.",
        "請網路管理員不要檢查連到協助服務的連線。";
    UpgradeRefused =
        "The network lets the connection through, but not what it carries.",
        "Das Netz lässt die Verbindung durch, aber nicht ihren Inhalt.",
        "網路允許連線，但不允許其內容。";
    UpgradeRefusedNext =
        "Ask your network administrator to allow WebSockets to the assistance service.",
        "Bitten Sie Ihre Netzwerkadministration, WebSockets zum Unterstützungsdienst zu erlauben.",
        "請網路管理員允許連到協助服務的 WebSocket。";
    CaptivePortal =
        "This network wants a sign-in first: a page of it answers in place of the assistance service.",
        "Dieses Netz verlangt erst eine Anmeldung: Statt des Unterstützungsdienstes antwortet eine Seite des Netzes.",
        "此網路要求先登入：回應的是網路的頁面，而非協助服務。";
    CaptivePortalNext =
        "Ask your network administrator to let this device out without the sign-in page.",
        "Bitten Sie Ihre Netzwerkadministration, dieses Gerät ohne Anmeldeseite ins Netz zu lassen.",
        "請網路管理員讓此裝置不經登入頁面即可連線。";
    RelayFull =
        "The assistance service has no room at the moment.",
        "Der Unterstützungsdienst hat im Augenblick keinen Platz.",
        "協助服務目前已滿。";
    RelayFullNext =
        "Try again in a few minutes.",
        "Versuchen Sie es in einigen Minuten erneut.",
        "請過幾分鐘再試。";
    ProxyCredentialsWrong =
        "The proxy refused the user name or the password of this device.",
        "Der Proxy hat Benutzername oder Passwort dieses Geräts abgelehnt.",
        "代理伺服器拒絕了此裝置的使用者名稱或密碼。";
    ProxyCredentialsWrongNext =
        "Ask your network administrator to correct them. Until then they are not sent again, as accounts lock.",
        "Bitten Sie Ihre Netzwerkadministration, beides zu berichtigen. Bis dahin wird es nicht erneut gesendet, denn Konten werden gesperrt.",
        "請網路管理員更正。在此之前不會再次傳送，以免帳號被鎖定。";
    ProxyCredentialsNeeded =
        "The proxy asks for a user name and a password.",
        "Der Proxy verlangt Benutzername und Passwort.",
        "代理伺服器要求使用者名稱和密碼。";
    ProxyCredentialsNeededFor =
        "The proxy asks for a user name and a password for {name}.",
        "Der Proxy verlangt Benutzername und Passwort für {name}.",
        "代理伺服器要求 {name} 的使用者名稱和密碼。";
    ProxyCredentialsNeededNext =
        "Ask your network administrator to set them up on this device.",
        "Bitten Sie Ihre Netzwerkadministration, beides auf diesem Gerät einzurichten.",
        "請網路管理員在此裝置上設定。";
    ProxyScheme =
        "The proxy wants another way to log in than this device knows.",
        "Der Proxy verlangt eine Anmeldung, die dieses Gerät nicht kennt.",
        "代理伺服器要求此裝置不支援的登入方式。";
    ProxySchemeNamed =
        "The proxy wants another way to log in than this device knows: {name}.",
        "Der Proxy verlangt eine Anmeldung, die dieses Gerät nicht kennt: {name}.",
        "代理伺服器要求此裝置不支援的登入方式：{name}。";
    ProxySchemeNext =
        "Ask your network administrator to let this device through with Basic, or without a login.",
        "Bitten Sie Ihre Netzwerkadministration, dieses Gerät mit Basic oder ohne Anmeldung durchzulassen.",
        "請網路管理員讓此裝置以 Basic 方式或免登入通過。";
    ProxyRefused =
        "The proxy does not let this device reach the assistance service.",
        "Der Proxy lässt dieses Gerät nicht zum Unterstützungsdienst.",
        "代理伺服器不允許此裝置連到協助服務。";
    ProxyRefusedBecause =
        "The proxy does not let this device reach the assistance service: {name}.",
        "Der Proxy lässt dieses Gerät nicht zum Unterstützungsdienst: {name}.",
        "代理伺服器不允許此裝置連到協助服務：{name}。";
    ProxyRefusedNext =
        "Ask your network administrator to allow port 443 of the service at the proxy.",
        "Bitten Sie Ihre Netzwerkadministration, im Proxy Port 443 des Dienstes zu erlauben.",
        "請網路管理員在代理伺服器上允許該服務的連接埠 443。";
    ProxyNot =
        "What is set as the proxy of this device is not a proxy.",
        "Was auf diesem Gerät als Proxy eingestellt ist, ist keiner.",
        "此裝置所設定的代理伺服器並非代理伺服器。";
    ProxyUnreachable =
        "The proxy of this network does not answer.",
        "Der Proxy dieses Netzes antwortet nicht.",
        "此網路的代理伺服器沒有回應。";
    ProxyName =
        "The name of the proxy was not found on the network.",
        "Der Name des Proxys wurde im Netz nicht gefunden.",
        "網路上找不到代理伺服器的名稱。";
    ProxyUntrusted =
        "The proxy could not prove that it is genuine.",
        "Der Proxy konnte nicht beweisen, dass er echt ist.",
        "代理伺服器無法證明其真實性。";
    ProxyUntrustedNext =
        "Ask your network administrator to add the certificate of the proxy to this device.",
        "Bitten Sie Ihre Netzwerkadministration, das Zertifikat des Proxys auf diesem Gerät einzutragen.",
        "請網路管理員在此裝置加入代理伺服器的憑證。";
    ProxyAutomatic =
        "This network has a proxy that this device cannot find by itself.",
        "Dieses Netz hat einen Proxy, den dieses Gerät nicht selbst findet.",
        "此網路有代理伺服器，但此裝置無法自行找到。";
    ProxySettingNext =
        "Ask your network administrator for the host and port of the proxy, and whether they are set right here.",
        "Fragen Sie Ihre Netzwerkadministration nach Name und Port des Proxys und ob sie hier richtig eingestellt sind.",
        "請向網路管理員詢問代理伺服器的名稱與連接埠，以及此處設定是否正確。";
    NotAllowed =
        "The settings of this device leave no way to the assistance service.",
        "Die Einstellungen dieses Geräts lassen keinen Weg zum Unterstützungsdienst.",
        "此裝置的設定不允許任何通往協助服務的路徑。";
    NotAllowedNext =
        "Ask whoever set up this device to look at the ways that it may take.",
        "Bitten Sie, wer dieses Gerät eingerichtet hat, die erlaubten Wege zu prüfen.",
        "請設定此裝置的人員查看允許的路徑。";
    NoSocket =
        "The network interface that is set for this device does not work.",
        "Der Netzwerkanschluss, der für dieses Gerät eingestellt ist, funktioniert nicht.",
        "為此裝置設定的網路介面無法使用。";
    NoSocketNext =
        "Ask whoever set up this device to check the name of the network interface.",
        "Bitten Sie, wer dieses Gerät eingerichtet hat, den Namen des Netzwerkanschlusses zu prüfen.",
        "請設定此裝置的人員確認網路介面的名稱。";
}

impl Text {
    /// What stands in the way to the relay, and what to do next.
    pub fn obstacle(self, obstacle: &Obstacle) -> (Words, Words) {
        let known = |what: Id, next: Id| (self.say(what), self.say(next));
        let plain = |what: Trouble, next: Trouble| (self.say(what), self.say(next));
        // With somebody else's words where there are some.
        let named = |what: Trouble, what_named: Trouble, next: Trouble| {
            let what = match &obstacle.detail {
                Some(detail) => self.fill(what_named, &[(Slot::Name, detail)]),
                None => self.say(what),
            };
            (what, self.say(next))
        };
        match obstacle.kind {
            ObstacleKind::NoDns => known(Id::NoDns, Id::NoDnsNext),
            ObstacleKind::NoNetwork => plain(Trouble::NoNetwork, Trouble::NoNetworkNext),
            ObstacleKind::UdpBlocked
            | ObstacleKind::TcpBlocked
            | ObstacleKind::RelayUnreachable => {
                known(Id::RelayUnreachable, Id::RelayUnreachableNext)
            }
            ObstacleKind::RelayDown => plain(Trouble::RelayDown, Trouble::RelayDownNext),
            ObstacleKind::NotARelay => (self.say(Trouble::NotARelay), self.say(Id::RelayNameNext)),
            ObstacleKind::RelayUntrusted | ObstacleKind::RelayPin => {
                known(Id::RelayUntrusted, Id::RelayUntrustedNext)
            }
            ObstacleKind::RelayName => known(Id::RelayName, Id::RelayNameNext),
            ObstacleKind::CertificateDate => {
                plain(Trouble::CertificateDate, Trouble::CertificateDateNext)
            }
            ObstacleKind::Clock => plain(Trouble::Clock, Trouble::ClockNext),
            ObstacleKind::NoRoots => plain(Trouble::NoRoots, Trouble::NoRootsNext),
            ObstacleKind::Intercepted => named(
                Trouble::Intercepted,
                Trouble::InterceptedBy,
                Trouble::InterceptedNext,
            ),
            ObstacleKind::TlsBroken => plain(Trouble::TlsBroken, Trouble::InterceptedNext),
            ObstacleKind::UpgradeRefused => {
                plain(Trouble::UpgradeRefused, Trouble::UpgradeRefusedNext)
            }
            ObstacleKind::CaptivePortal => {
                plain(Trouble::CaptivePortal, Trouble::CaptivePortalNext)
            }
            ObstacleKind::RelayRefused => known(Id::RelayRefused, Id::RelayRefusedNext),
            ObstacleKind::RelayFull => plain(Trouble::RelayFull, Trouble::RelayFullNext),
            ObstacleKind::ProxyCredentialsWrong => plain(
                Trouble::ProxyCredentialsWrong,
                Trouble::ProxyCredentialsWrongNext,
            ),
            ObstacleKind::ProxyCredentialsNeeded => named(
                Trouble::ProxyCredentialsNeeded,
                Trouble::ProxyCredentialsNeededFor,
                Trouble::ProxyCredentialsNeededNext,
            ),
            ObstacleKind::ProxyScheme => named(
                Trouble::ProxyScheme,
                Trouble::ProxySchemeNamed,
                Trouble::ProxySchemeNext,
            ),
            ObstacleKind::ProxyRefused => named(
                Trouble::ProxyRefused,
                Trouble::ProxyRefusedBecause,
                Trouble::ProxyRefusedNext,
            ),
            ObstacleKind::ProxyNot => plain(Trouble::ProxyNot, Trouble::ProxySettingNext),
            ObstacleKind::ProxyUnreachable => {
                plain(Trouble::ProxyUnreachable, Trouble::ProxySettingNext)
            }
            ObstacleKind::ProxyName => plain(Trouble::ProxyName, Trouble::ProxySettingNext),
            ObstacleKind::ProxyUntrusted => {
                plain(Trouble::ProxyUntrusted, Trouble::ProxyUntrustedNext)
            }
            ObstacleKind::ProxyAutomatic => {
                plain(Trouble::ProxyAutomatic, Trouble::ProxySettingNext)
            }
            ObstacleKind::NoProxy | ObstacleKind::NotAllowed | ObstacleKind::NoDirect => {
                plain(Trouble::NotAllowed, Trouble::NotAllowedNext)
            }
            ObstacleKind::NoSocket => plain(Trouble::NoSocket, Trouble::NoSocketNext),
            ObstacleKind::Internal | _ => known(Id::OtherProblem, Id::OtherProblemNext),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Locale;

    #[test]
    fn every_obstacle_says_what_to_do_and_most_say_what_it_is_in_words_of_their_own() {
        let text = Text::new(Locale::English);
        let both = |kind: &ObstacleKind| text.obstacle(&(*kind).into());
        let said: std::collections::BTreeSet<_> = ObstacleKind::ALL
            .iter()
            .map(|kind| both(kind).0.to_string())
            .collect();
        // UDP, TCP and both blocked are one to a customer; so are a wrong pin and a wrong authority, and
        // what never keeps anybody from the relay.
        assert_eq!(said.len(), ObstacleKind::ALL.len() - 5, "{said:#?}");
        assert!(
            ObstacleKind::ALL
                .iter()
                .all(|kind| !both(kind).1.as_str().is_empty())
        );
    }

    #[test]
    fn somebody_elses_words_are_shown_and_stay_data() {
        let text = Text::new(Locale::German);
        let detail = "{name} & Söhne".parse().ok();
        let (what, _) = text.obstacle(&Obstacle::with_detail(ObstacleKind::Intercepted, detail));
        assert!(
            what.as_str().ends_with("Verbindung: {name} & Söhne."),
            "{what}"
        );
    }
}
