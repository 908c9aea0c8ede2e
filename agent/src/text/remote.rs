//! What the person who looks after a device sees: the administrator's ID, and the settings page of Remote Assistance.

use super::sentences::sentences;

sentences! {
    pub enum Page;

    // The system administrator's ID.
    AdminTitle =
        "System administrator's ID",
        "Kennung der Systemadministration",
        "系統管理員 ID";
    AdminHint =
        "Only you see what is typed here. The support person sees a grey field.",
        "Nur Sie sehen, was hier eingegeben wird. Der Support sieht eine graue Fläche.",
        "只有您看得到這裡輸入的內容。支援人員看到的是灰色區塊。";
    AdminChecking =
        "The ID is being checked.",
        "Die Kennung wird geprüft.",
        "正在核對 ID。";
    AdminWrong =
        "This ID is not right. Please try again.",
        "Diese Kennung stimmt nicht. Bitte versuchen Sie es noch einmal.",
        "ID 不正確。請再試一次。";
    AdminWrongLast =
        "This ID is not right. After one more wrong one you have to wait.",
        "Diese Kennung stimmt nicht. Nach einer weiteren falschen müssen Sie warten.",
        "ID 不正確。再錯一次就必須等候。";
    AdminWait =
        "This ID is not right. The next one can be entered in {time}.",
        "Diese Kennung stimmt nicht. Die nächste kann in {time} eingegeben werden.",
        "ID 不正確。{time}後才能再輸入。";
    AdminAgain =
        "The ID can be entered again now.",
        "Die Kennung kann jetzt wieder eingegeben werden.",
        "現在可以再輸入 ID 了。";
    AdminLocked =
        "The ID was wrong too often. It is looked at again in {time}.",
        "Die Kennung war zu oft falsch. Geprüft wird sie wieder in {time}.",
        "ID 錯誤次數過多。{time}後才會再核對。";
    AdminLockedForGood =
        "The ID was wrong too often. The owner of this device has to set a new one.",
        "Die Kennung war zu oft falsch. Der Eigentümer dieses Geräts muss eine neue setzen.",
        "ID 錯誤次數過多。必須由此裝置的擁有者重新設定。";
    AdminUnavailable =
        "This device cannot check an ID now.",
        "Dieses Gerät kann jetzt keine Kennung prüfen.",
        "此裝置目前無法核對 ID。";
    KeyLetters = "ABC", "ABC", "ABC";
    KeyDigits = "123", "123", "123";
    Next = "Next", "Weiter", "下一步";
    NewIdFirst =
        "This device has no system administrator's ID yet. Choose one.",
        "Dieses Gerät hat noch keine Kennung der Systemadministration. Wählen Sie eine.",
        "此裝置尚未設定系統管理員 ID。請設定一個。";
    NewIdOld =
        "Type the ID that counts now",
        "Geben Sie die jetzige Kennung ein",
        "請輸入目前的 ID";
    NewIdNew = "Choose the new ID", "Wählen Sie die neue Kennung", "請設定新的 ID";
    NewIdAgain =
        "Type the new ID once more",
        "Geben Sie die neue Kennung noch einmal ein",
        "請再輸入一次新的 ID";
    NewIdRule =
        "At least 8 digits or characters. Support never has to know it.",
        "Mindestens 8 Ziffern oder Zeichen. Der Support muss sie nie wissen.",
        "至少 8 個數字或字元。支援人員永遠不需要知道。";
    NewIdDiffer =
        "The two were not the same. Choose the ID again.",
        "Die beiden waren nicht gleich. Wählen Sie die Kennung erneut.",
        "兩次輸入不同。請重新設定 ID。";
    NewIdShort =
        "This ID is too short. It needs at least 8 digits or characters.",
        "Diese Kennung ist zu kurz. Nötig sind mindestens 8 Ziffern oder Zeichen.",
        "ID 太短。至少需要 8 個數字或字元。";
    NewIdLong =
        "This ID is too long.",
        "Diese Kennung ist zu lang.",
        "ID 太長。";
    NewIdSign =
        "This ID has a character that cannot be used.",
        "Diese Kennung hat ein Zeichen, das nicht verwendet werden kann.",
        "ID 含有無法使用的字元。";
    NewIdCommon =
        "This ID is too easy to guess: no row of digits or keys, no repetition, no date, no common word.",
        "Diese Kennung ist zu leicht zu erraten: keine Reihe von Ziffern oder Tasten, keine Wiederholung, kein Datum, kein gängiges Wort.",
        "ID 太容易猜到：不可為連續的數字或按鍵、重複、日期或常見字詞。";
    NewIdFailed =
        "The ID could not be changed. The one before still counts.",
        "Die Kennung konnte nicht geändert werden. Es gilt die bisherige.",
        "無法變更 ID。原有的 ID 仍然有效。";
    NewIdSaving =
        "The ID is being kept.",
        "Die Kennung wird gespeichert.",
        "正在儲存 ID。";
    NewIdDone =
        "The new ID counts from now on.",
        "Ab jetzt gilt die neue Kennung.",
        "新的 ID 即刻生效。";

    // Remote Assistance on this device.
    RemoteHint =
        "Whether and how support can connect",
        "Ob und wie sich der Support verbinden kann",
        "支援人員能否連線及如何連線";
    RemoteEnabled = "Remote Assistance", "Fernunterstützung", "遠端協助";
    RemoteService = "Service", "Dienst", "服務";
    RemoteNetwork = "Network", "Netzwerk", "網路連線";
    RemoteNetworkAny = "Any", "Beliebig", "不限";
    RemoteProxy = "Proxy", "Proxy", "代理伺服器";
    RemoteProxyNone = "None", "Keiner", "無";
    RemoteLanguage = "Language", "Sprache", "語言";
    RemoteTextSize = "Text size", "Schriftgröße", "文字大小";
    RemoteLast = "Last sessions", "Letzte Sitzungen", "最近的連線";
    RemoteNever =
        "Nobody has been connected yet.",
        "Bisher war niemand verbunden.",
        "尚未有人連線。";
    RemoteOff =
        "Remote Assistance is turned off on this device.",
        "Die Fernunterstützung ist auf diesem Gerät ausgeschaltet.",
        "此裝置已停用遠端協助。";
    RemoteOffNext =
        "Whoever has the system administrator's ID can turn it on under Settings.",
        "Mit der Kennung der Systemadministration lässt sie sich unter Einstellungen einschalten.",
        "持有系統管理員 ID 的人可在「設定」中啟用。";
    RemoteOpen = "Open", "Öffnen", "開啟";
    RemoteId = "Change the ID", "Kennung ändern", "變更 ID";
    RemoteTest = "Test", "Prüfen", "測試";
    RemoteFixed =
        "Laid down for this device; not to be changed here",
        "Für dieses Gerät festgelegt; hier nicht zu ändern",
        "由裝置設定指定，無法在此變更";
    RemoteAtOnce =
        "Changes are kept and count at once.",
        "Änderungen werden gespeichert und gelten sofort.",
        "變更會儲存並立即生效。";
    RemoteNextCode =
        "Changes are kept and count from the next code on.",
        "Änderungen werden gespeichert und gelten ab dem nächsten Code.",
        "變更會儲存，自下一個代碼起生效。";
    RemoteNotKept =
        "The last change could not be kept: it counts until this device restarts.",
        "Die letzte Änderung konnte nicht gespeichert werden: Sie gilt bis zum Neustart dieses Geräts.",
        "最近的變更無法儲存：只在此裝置重新啟動前有效。";
    RemoteCredentials =
        "User name and password for the proxy come from a file.",
        "Benutzername und Passwort für den Proxy kommen aus einer Datei.",
        "代理伺服器的使用者名稱和密碼取自檔案。";
    RemoteNoCredentials =
        "No user name and password for the proxy are set up.",
        "Für den Proxy sind kein Benutzername und kein Passwort eingerichtet.",
        "未設定代理伺服器的使用者名稱和密碼。";
    Keep = "Keep", "Übernehmen", "套用";
    EditRelay = "Address of the service", "Adresse des Dienstes", "服務的位址";
    EditRelayHint =
        "The host name or the address alone, without anything before or behind it.",
        "Nur der Hostname oder die Adresse, ohne etwas davor oder dahinter.",
        "只輸入主機名稱或位址，前後不加其他內容。";
    EditRelayWrong =
        "This is no host name and no address.",
        "Das ist weder ein Hostname noch eine Adresse.",
        "這不是主機名稱或位址。";
    EditNetwork = "Network interface", "Netzwerkanschluss", "網路介面";
    EditNetworkHint =
        "The name that this device has for it. Empty: any.",
        "Der Name, den dieses Gerät ihm gibt. Leer: beliebig.",
        "此裝置所用的名稱。留空表示不限。";
    EditNetworkWrong =
        "No network interface can have this name.",
        "So kann kein Netzwerkanschluss heißen.",
        "網路介面不可能使用這個名稱。";
    EditProxy = "Proxy", "Proxy", "代理伺服器";
    EditProxyHint =
        "Name and port with http:// before them. Empty: as set for this machine.",
        "Name und Port mit http:// davor. Leer: wie auf diesem Gerät eingestellt.",
        "名稱與連接埠，前面加上 http://。留空表示依此裝置的設定。";
    EditProxyWrong =
        "This is no address of a proxy. A password does not belong into it.",
        "Das ist keine Adresse eines Proxys. Ein Passwort gehört nicht hinein.",
        "這不是代理伺服器的位址。其中不可含有密碼。";

    // The test of the way to the service.
    TestTitle =
        "Can the service be reached?",
        "Ist der Dienst zu erreichen?",
        "能否連到服務？";
    TestUdp = "Directly over UDP", "Direkt über UDP", "直接經由 UDP";
    TestTls = "Directly over TLS", "Direkt über TLS", "直接經由 TLS";
    TestProxy = "Through the proxy", "Über den Proxy", "經由代理伺服器";
    TestRunning = "Being tried", "Wird versucht", "嘗試中";
    TestWorks = "Works, {count} ms", "Geht, {count} ms", "可用，{count} 毫秒";
    TestFails = "Does not work", "Geht nicht", "無法使用";
    TestUnused = "Not used", "Nicht verwendet", "未使用";
    TestGood =
        "The service can be reached. Support can connect with a code.",
        "Der Dienst ist zu erreichen. Mit einem Code kann sich der Support verbinden.",
        "可以連到服務。支援人員可憑代碼連線。";
    TestBroke =
        "The test could not be made.",
        "Die Prüfung war nicht möglich.",
        "無法進行測試。";
    TestAgain = "Test again", "Erneut prüfen", "重新測試";

    // Who was connected.
    EndedChanged = "Changed: {name}", "Geändert: {name}", "變更：{name}";
    DidSilent =
        "Some of it was unasked and unseen, as the owner allows.",
        "Manches geschah ungefragt und ungesehen, wie der Eigentümer es erlaubt.",
        "部分操作依擁有者的許可進行，未經詢問也未顯示。";
    ModeGuide = "Guided", "Angeleitet", "引導";
    ModeControl = "Operated", "Bedient", "操作";
    ModeConfigure = "Settings", "Einstellungen", "設定";
    LastSession =
        "Last remote session: {name}. {time}",
        "Letzte Fernsitzung: {name}. {time}",
        "最近一次遠端連線：{name}。{time}";
    SessionsSleep =
        "Unasked and unseen",
        "Ungefragt und ungesehen",
        "未經詢問也未顯示";
    SessionsSince =
        "{date}, {from} (UTC), end unknown",
        "{date}, {from} (UTC), Ende unbekannt",
        "{date}，{from}（UTC），未記錄結束時間";
}
