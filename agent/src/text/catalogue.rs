//! The sentences: English, German, Traditional Chinese. A sentence without its translations does not compile.

use super::sentences::sentences;

sentences! {
    // Words that stand everywhere.
    Cancel = "Cancel", "Abbrechen", "取消";
    Close = "Close", "Schließen", "關閉";
    Ok = "OK", "OK", "確定";
    Done = "Done", "Fertig", "完成";
    On = "On", "Ein", "開";
    Off = "Off", "Aus", "關";
    Start = "Start", "Start", "開始";
    Seconds = "{count} s", "{count} s", "{count} 秒";
    Minutes = "{count} min", "{count} min", "{count} 分鐘";
    MinutesSeconds =
        "{number} min {count} s",
        "{number} min {count} s",
        "{number} 分 {count} 秒";

    // The machine itself.
    DeviceName = "Multifunction printer", "Multifunktionsdrucker", "多功能事務機";
    Ready = "Ready", "Bereit", "就緒";
    Copy = "Copy", "Kopieren", "影印";
    CopyHint =
        "Black or colour, one or two sides",
        "Schwarz oder farbig, ein- oder beidseitig",
        "黑白或彩色，單面或雙面";
    Scan = "Scan", "Scannen", "掃描";
    ScanHint =
        "Send a document to an address",
        "Ein Dokument an eine Adresse senden",
        "將文件傳送到指定地址";
    AddressBook = "Address book", "Adressbuch", "通訊錄";
    AddressHint = "Who scans are sent to", "Wohin Scans gesendet werden", "掃描檔的收件人";
    Jobs = "Jobs", "Aufträge", "工作";
    JobsHint = "Progress, and stopping a job", "Fortschritt und Anhalten", "查看進度、停止工作";
    Settings = "Settings", "Einstellungen", "設定";
    SettingsHint =
        "Sound, energy saver, paper",
        "Ton, Energiesparen, Papier",
        "聲音、省電、紙張";
    Copies = "Copies", "Kopien", "份數";
    CopiesHint =
        "Use the number keys. Clear makes it 1.",
        "Mit den Zifferntasten eingeben. Clear setzt auf 1.",
        "請用數字鍵輸入。按 Clear 恢復為 1。";
    Colour = "Colour", "Farbe", "色彩";
    ColourAuto = "Automatic", "Automatisch", "自動";
    ColourBlack = "Black", "Schwarz", "黑白";
    Sides = "Sides", "Seiten", "面數";
    OneSided = "1-sided", "1-seitig", "單面";
    TwoSided = "2-sided", "2-seitig", "雙面";
    Paper = "Paper", "Papier", "紙張";
    PaperA4 = "A4", "A4", "A4";
    PaperA3 = "A3", "A3", "A3";
    SendTo = "Send to", "Senden an", "傳送至";
    NoAddress = "No address yet", "Noch keine Adresse", "尚無地址";
    ChooseAddress = "Type an address", "Adresse eingeben", "輸入地址";
    FileType = "File type", "Dateityp", "檔案類型";
    FilePdf = "PDF", "PDF", "PDF";
    FileJpeg = "JPEG", "JPEG", "JPEG";
    Copying = "Copying", "Kopiert", "影印中";
    Scanning = "Scanning", "Scannt", "掃描中";
    JobPage =
        "Page {number} of {count}",
        "Seite {number} von {count}",
        "第 {number} 頁，共 {count} 頁";
    JobDone = "Finished", "Fertig", "已完成";
    JobStopped = "Stopped", "Angehalten", "已停止";
    JobNone =
        "Nothing is being printed or scanned",
        "Es wird nichts gedruckt oder gescannt",
        "目前沒有列印或掃描工作";
    JobNoneHint =
        "Jobs that you start show up here.",
        "Aufträge, die Sie starten, erscheinen hier.",
        "您開始的工作會顯示在這裡。";
    StopJob = "Stop job", "Auftrag anhalten", "停止工作";
    AddressPrompt = "Name or address", "Name oder Adresse", "姓名或地址";
    KeySpace = "Space", "Leertaste", "空格";
    KeySound = "Key sound", "Tastenton", "按鍵音";
    EnergySaver = "Energy saver after", "Energiesparen nach", "進入省電前等候";
    TrayOne = "Tray 1", "Fach 1", "紙匣 1";

    // Before a session.
    Assistance = "Remote Assistance", "Fernunterstützung", "遠端協助";
    AssistanceHint =
        "Let support see this screen and guide you",
        "Der Support sieht diesen Bildschirm und leitet Sie an",
        "讓支援人員看到此畫面並引導您";
    AssistanceLive = "Support is connected", "Der Support ist verbunden", "支援人員已連線";
    AssistanceOff =
        "Turned off on this device",
        "Auf diesem Gerät ausgeschaltet",
        "此裝置已停用";
    NoticeCaution =
        "Go on only if you called support yourself.",
        "Nur fortfahren, wenn Sie selbst den Support angerufen haben.",
        "只有在您自己致電支援中心時才繼續。";
    NoticeCautionMore =
        "Did somebody call you and ask you to open this? Hang up and choose Cancel.",
        "Hat jemand Sie angerufen und darum gebeten? Legen Sie auf und wählen Sie Abbrechen.",
        "有人打電話要您開啟這個畫面嗎？請掛斷電話並選擇「取消」。";
    NoticeWho = "Who can connect", "Wer sich verbinden kann", "誰可以連線";
    NoticeWhoText =
        "One support person: the one who reads you a code of 12 digits. Their name stays on this screen.",
        "Eine einzige Person: die Ihnen einen Code aus 12 Ziffern vorliest. Ihr Name bleibt auf diesem Bildschirm.",
        "只有一位支援人員：為您唸出 12 位數代碼的那一位。其姓名會一直顯示在此畫面上。";
    NoticeSee = "What they can do", "Was sie tun kann", "對方能做什麼";
    NoticeSeeText =
        "They see this screen, and point and draw on it. Your hands do the work. Anything more asks you first.",
        "Sie sieht diesen Bildschirm, zeigt und zeichnet darauf. Bedienen tun Sie. Für alles Weitere werden Sie gefragt.",
        "對方會看到此畫面，並在上面指示和畫線。由您親手操作。任何其他動作都會先詢問您。";
    NoticeStop = "How to stop", "Wie Sie es beenden", "如何停止";
    NoticeStopText =
        "Press EXIT on the screen, or hold {key} for 5 seconds. Both work at any time.",
        "Drücken Sie EXIT auf dem Bildschirm oder halten Sie {key} 5 Sekunden lang. Beides geht jederzeit.",
        "按畫面上的 EXIT，或按住 {key} 5 秒。兩者隨時有效。";
    NoticeKept = "What is noted", "Was festgehalten wird", "會留下什麼紀錄";
    NoticeKeptText =
        "The service notes this device's serial number and the date and time. What is shown stays between you and the support person.",
        "Der Dienst notiert die Seriennummer dieses Geräts sowie Datum und Uhrzeit. Was zu sehen ist, bleibt zwischen Ihnen und der Person vom Support.",
        "服務會記下此裝置的序號與日期時間。畫面內容只有您和支援人員看得到。";
    NoticeContinue = "I called support", "Ich habe den Support angerufen", "是我致電支援中心的";
    EntryTitle = "Enter the access code", "Zugangscode eingeben", "輸入存取代碼";
    EntryHint =
        "Type the 12 digits that the support person reads to you, in three groups of four.",
        "Geben Sie die 12 Ziffern ein, die Ihnen vorgelesen werden, in drei Gruppen zu vier.",
        "請輸入支援人員唸給您的 12 位數字，分三組，每組四位。";
    EntryReady =
        "All 12 digits are there. Press Connect.",
        "Alle 12 Ziffern sind da. Drücken Sie Verbinden.",
        "12 位數字已齊全。請按「連線」。";
    EntryCheckDigit =
        "These are not the digits that were read to you: one is wrong, or two are swapped. Touch a group to type it again.",
        "Das sind nicht die vorgelesenen Ziffern: Eine ist falsch oder zwei sind vertauscht. Berühren Sie eine Gruppe, um sie neu einzugeben.",
        "這些不是唸給您的數字：其中一位有誤，或兩位對調。點一下某一組即可重新輸入。";
    EntryShort =
        "The {part} group is not complete. A code has 12 digits.",
        "Die {part} Gruppe ist nicht vollständig. Ein Code hat 12 Ziffern.",
        "第{part}組不完整。代碼共有 12 位數字。";
    EntryNotDigit =
        "The {part} group holds something that is not a digit.",
        "Die {part} Gruppe enthält etwas, das keine Ziffer ist.",
        "第{part}組含有不是數字的字元。";
    EntryLong =
        "That is more than 12 digits. Ask for the code again, group by group.",
        "Das sind mehr als 12 Ziffern. Lassen Sie sich den Code noch einmal vorlesen, Gruppe für Gruppe.",
        "超過 12 位數字了。請對方一組一組再唸一次代碼。";
    PartFirst = "first", "erste", "一";
    PartSecond = "second", "zweite", "二";
    PartThird = "third", "dritte", "三";
    Clear = "Clear", "Löschen", "清除";
    Connect = "Connect", "Verbinden", "連線";
    Claiming = "Looking up the code", "Der Code wird gesucht", "正在查詢代碼";
    ClaimingText =
        "This takes a few seconds.",
        "Das dauert einige Sekunden.",
        "需要幾秒鐘。";
    Connecting = "Connecting to", "Verbindung mit", "正在連線至";
    ConnectingText =
        "The code is being checked. Nobody sees this screen yet.",
        "Der Code wird geprüft. Noch sieht niemand diesen Bildschirm.",
        "正在核對代碼。目前還沒有人看到此畫面。";
    ConfirmedBy =
        "Name confirmed by {relay}",
        "Name bestätigt von {relay}",
        "姓名經 {relay} 確認";
    Unverified =
        "Nobody has confirmed this name",
        "Niemand hat diesen Namen bestätigt",
        "此姓名未經任何人確認";
    UnverifiedText =
        "Go on only if you know this person and called them yourself.",
        "Nur fortfahren, wenn Sie diese Person kennen und selbst angerufen haben.",
        "只有在您認識此人並由您自己致電時才繼續。";
    Unnamed = "Somebody without a name", "Jemand ohne Namen", "未具名人士";

    // A code that led nowhere: what happened, then what to do.
    TryAgain = "Enter a code", "Code eingeben", "輸入代碼";
    Unknown =
        "The service does not know this code.",
        "Der Dienst kennt diesen Code nicht.",
        "服務查無此代碼。";
    UnknownNext =
        "Ask the support person to read the code again, and type it once more.",
        "Lassen Sie sich den Code noch einmal vorlesen und geben Sie ihn erneut ein.",
        "請支援人員再唸一次代碼，然後重新輸入。";
    Expired =
        "The time of this code is over.",
        "Die Zeit dieses Codes ist abgelaufen.",
        "此代碼已過期。";
    ExpiredNext =
        "Ask the support person for a new code.",
        "Bitten Sie die Person vom Support um einen neuen Code.",
        "請向支援人員索取新的代碼。";
    WrongOne =
        "This code is not right. It can be tried {count} more time.",
        "Dieser Code stimmt nicht. Er kann noch {count} Mal versucht werden.",
        "代碼不正確。還可以再試 {count} 次。";
    WrongMany =
        "This code is not right. It can be tried {count} more times.",
        "Dieser Code stimmt nicht. Er kann noch {count} Mal versucht werden.",
        "代碼不正確。還可以再試 {count} 次。";
    WrongNext =
        "Ask the support person to read the code slowly, group by group.",
        "Lassen Sie sich den Code langsam vorlesen, Gruppe für Gruppe.",
        "請支援人員一組一組慢慢唸出代碼。";
    Burnt =
        "This code was wrong too often and no longer works.",
        "Dieser Code war zu oft falsch und gilt nicht mehr.",
        "此代碼錯誤次數過多，已失效。";
    BurntNext =
        "Ask the support person for a new code.",
        "Bitten Sie die Person vom Support um einen neuen Code.",
        "請向支援人員索取新的代碼。";
    EntryLocked =
        "Too many wrong codes were typed on this device.",
        "Auf diesem Gerät wurden zu viele falsche Codes eingegeben.",
        "此裝置上輸入了太多錯誤代碼。";
    EntryLockedNext =
        "A code can be typed again in {time}.",
        "In {time} kann wieder ein Code eingegeben werden.",
        "{time}後才能再輸入代碼。";
    EntryUnlocked =
        "A code can be typed again now.",
        "Jetzt kann wieder ein Code eingegeben werden.",
        "現在可以再輸入代碼了。";
    NoDns =
        "The name of the assistance service was not found on the network.",
        "Der Name des Unterstützungsdienstes wurde im Netz nicht gefunden.",
        "網路上找不到協助服務的名稱。";
    NoDnsNext =
        "See that the network cable is plugged in, then try again. If it stays like this, tell your network administrator.",
        "Prüfen Sie, ob das Netzwerkkabel steckt, und versuchen Sie es erneut. Bleibt es so, sagen Sie es Ihrer Netzwerkadministration.",
        "請確認網路線已插好，然後再試一次。若仍然如此，請告知您的網路管理員。";
    RelayUnreachable =
        "The assistance service does not answer on port 443.",
        "Der Unterstützungsdienst antwortet nicht auf Port 443.",
        "協助服務在連接埠 443 上沒有回應。";
    RelayUnreachableNext =
        "Ask your network administrator to let this device reach port 443 of the service.",
        "Bitten Sie Ihre Netzwerkadministration, diesem Gerät Port 443 des Dienstes zu öffnen.",
        "請網路管理員讓此裝置能連到該服務的連接埠 443。";
    RelayUntrusted =
        "The assistance service could not prove that it is genuine.",
        "Der Unterstützungsdienst konnte nicht beweisen, dass er echt ist.",
        "協助服務無法證明其真實性。";
    RelayUntrustedNext =
        "Stop here and tell your network administrator: something on the way may be listening.",
        "Hören Sie hier auf und sagen Sie es Ihrer Netzwerkadministration: Unterwegs könnte jemand mithören.",
        "請就此停止並告知網路管理員：途中可能有人竊聽。";
    RelayName =
        "What answered is not the assistance service: its certificate is for another name.",
        "Was geantwortet hat, ist nicht der Unterstützungsdienst: Sein Zertifikat gilt für einen anderen Namen.",
        "回應的並非協助服務：其憑證屬於另一個名稱。";
    RelayNameNext =
        "Ask your network administrator whether the name of the service is set right on this device.",
        "Fragen Sie Ihre Netzwerkadministration, ob der Name des Dienstes auf diesem Gerät stimmt.",
        "請詢問網路管理員，此裝置上的服務名稱是否設定正確。";
    RelayRefused =
        "The assistance service does not accept this device.",
        "Der Unterstützungsdienst nimmt dieses Gerät nicht an.",
        "協助服務不接受此裝置。";
    RelayRefusedNext =
        "Tell the support person the serial number of this device.",
        "Nennen Sie der Person vom Support die Seriennummer dieses Geräts.",
        "請將此裝置的序號告訴支援人員。";
    OperatorUnreachable =
        "The support person's computer does not answer.",
        "Der Computer der Person vom Support antwortet nicht.",
        "支援人員的電腦沒有回應。";
    OperatorUnreachableNext =
        "Stay on the phone and ask for a new code.",
        "Bleiben Sie am Telefon und bitten Sie um einen neuen Code.",
        "請留在線上，並索取新的代碼。";
    Incompatible =
        "This device and the support person's program do not understand each other.",
        "Dieses Gerät und das Programm des Supports verstehen einander nicht.",
        "此裝置與支援人員的程式無法互通。";
    IncompatibleNext =
        "One of them needs an update. Tell the support person.",
        "Eines von beiden braucht ein Update. Sagen Sie es der Person vom Support.",
        "其中一方需要更新。請告訴支援人員。";
    OtherProblem =
        "The connection did not come about.",
        "Die Verbindung kam nicht zustande.",
        "連線未能建立。";
    OtherProblemNext =
        "Try again, and tell the support person if it stays like this.",
        "Versuchen Sie es erneut, und sagen Sie es der Person vom Support, wenn es so bleibt.",
        "請再試一次；若仍然如此，請告訴支援人員。";

    // During a session.
    Exit = "EXIT", "EXIT", "EXIT";
    BannerConfirmed = "confirmed by {relay}", "bestätigt von {relay}", "經 {relay} 確認";
    BannerUnverified =
        "name not confirmed by anybody",
        "Name von niemandem bestätigt",
        "姓名未經任何人確認";
    MayGuide =
        "Sees this screen, points and draws on it",
        "Sieht diesen Bildschirm, zeigt und zeichnet darauf",
        "看得到此畫面，並在上面指示和畫線";
    MayControl =
        "Sees this screen and operates it",
        "Sieht diesen Bildschirm und bedient ihn",
        "看得到並操作此畫面";
    MayConfigure =
        "Sees this screen, reads and changes settings",
        "Sieht diesen Bildschirm, liest und ändert Einstellungen",
        "看得到此畫面，並讀取和變更設定";
    MayOther =
        "Sees this screen and uses {mode}",
        "Sieht diesen Bildschirm und verwendet {mode}",
        "看得到此畫面，並使用 {mode}";
    HoldToEnd = "or hold {key} for 5 s", "oder {key} 5 s halten", "或按住 {key} 5 秒";
    KeepHolding = "Keep holding {key}", "{key} weiter halten", "請繼續按住 {key}";
    StopKeyNamed = "the {key} key", "die Taste {key}", "{key} 鍵";
    CornerTopLeft = "the top left corner", "die Ecke oben links", "左上角";
    CornerTopRight = "the top right corner", "die Ecke oben rechts", "右上角";
    CornerBottomLeft = "the bottom left corner", "die Ecke unten links", "左下角";
    CornerBottomRight = "the bottom right corner", "die Ecke unten rechts", "右下角";
    LinkMissing =
        "The support person has not been heard from for {time}.",
        "Vom Support ist seit {time} nichts zu hören.",
        "已有 {time}沒有支援人員的消息。";
    LinkMissingText =
        "It goes on by itself when the network is back. You can end it now.",
        "Es geht von selbst weiter, wenn das Netz wieder da ist. Sie können jetzt beenden.",
        "網路恢復後會自動繼續。您也可以現在結束。";
    LinkLost =
        "The connection is lost and is being tried again. Assistance ends in {time} unless it comes back.",
        "Die Verbindung ist unterbrochen und wird neu aufgebaut. Sonst endet die Unterstützung in {time}.",
        "與支援人員的連線已中斷，正在重新連線。協助將在 {time}後結束。";
    IdleWarning =
        "Nobody has done anything for a while. Assistance ends in {time}.",
        "Seit einer Weile hat niemand etwas getan. Die Unterstützung endet in {time}.",
        "已有一段時間無人操作。協助將在 {time}後結束。";
    StayConnected = "Stay connected", "Verbunden bleiben", "保持連線";
    Paused =
        "The support person waits while you use the panel.",
        "Die Person vom Support wartet, während Sie bedienen.",
        "您使用面板時，支援人員會等候。";
    ControlOn =
        "The support person operates this panel. Touch it at any time: your hand comes first.",
        "Die Person vom Support bedient dieses Gerät. Berühren Sie es jederzeit: Ihre Hand geht vor.",
        "支援人員正在操作此面板。您隨時可以觸碰：以您的手為優先。";
    ConfigureOn =
        "The support person may change settings. You are shown each change first.",
        "Die Person vom Support darf Einstellungen ändern. Jede Änderung wird Ihnen zuerst gezeigt.",
        "支援人員可以變更設定。每項變更都會先讓您看到。";
    OtherOn = "{mode} is being used.", "{mode} wird verwendet.", "正在使用 {mode}。";
    TakeBack = "Back to guiding", "Zurück zum Anleiten", "改回僅引導";
    PressedKey =
        "The support person pressed {key}.",
        "Die Person vom Support hat {key} gedrückt.",
        "支援人員按了 {key}。";
    TypedText =
        "The support person typed text.",
        "Die Person vom Support hat Text eingegeben.",
        "支援人員輸入了文字。";
    SessionTitle = "Connected now", "Jetzt verbunden", "目前已連線";
    SessionEndHint =
        "EXIT ends it at once. The support person then sees nothing more.",
        "EXIT beendet es sofort. Die Person vom Support sieht dann nichts mehr.",
        "按 EXIT 立即結束。之後支援人員什麼也看不到。";
    AskControl =
        "May {name} operate this panel?",
        "Darf {name} dieses Gerät bedienen?",
        "允許 {name} 操作此面板嗎？";
    AskConfigure =
        "May {name} read and change settings?",
        "Darf {name} Einstellungen lesen und ändern?",
        "允許 {name} 讀取並變更設定嗎？";
    AskOther =
        "May {name} use {mode}?",
        "Darf {name} {mode} verwenden?",
        "允許 {name} 使用 {mode} 嗎？";
    AskControlAgain =
        "May {name} go on operating this panel?",
        "Darf {name} dieses Gerät weiter bedienen?",
        "允許 {name} 繼續操作此面板嗎？";
    AskConfigureAgain =
        "May {name} go on changing settings?",
        "Darf {name} weiter Einstellungen ändern?",
        "允許 {name} 繼續變更設定嗎？";
    AskOtherAgain =
        "May {name} go on using {mode}?",
        "Darf {name} {mode} weiter verwenden?",
        "允許 {name} 繼續使用 {mode} 嗎？";
    AskChange = "May {name} change these settings?", "Darf {name} diese Einstellungen ändern?", "允許 {name} 變更這些設定嗎？";
    ChangeTo = "> {until}", "> {until}", "> {until}";
    ChangeUnset = "not set", "nicht gesetzt", "未設定";
    ChangeSecret = "not shown", "nicht gezeigt", "看不到";
    ChangePage = "{number} / {count}", "{number} / {count}", "{number} / {count}";
    MoreChanges = "More", "Weitere", "更多";
    AskText =
        "You see everything that is done, and can end it at any time.",
        "Sie sehen alles, was geschieht, und können es jederzeit beenden.",
        "您看得到所有動作，並可隨時結束。";
    AskAdmin =
        "The system administrator's ID is needed for this. The support person does not see it.",
        "Dafür ist die Kennung der Systemadministration nötig. Der Support sieht sie nicht.",
        "這需要系統管理員的 ID。支援人員看不到它。";
    AskExpires =
        "Without an answer this is refused in {time}.",
        "Ohne Antwort wird es in {time} abgelehnt.",
        "若不回答，{time}後視為拒絕。";
    AskExpiresAgain =
        "Without an answer it goes back to guiding in {time}.",
        "Ohne Antwort wird in {time} nur noch angeleitet.",
        "若不回答，{time}後改回僅引導。";
    Allow = "Allow", "Erlauben", "允許";
    AllowWithId = "Allow: enter the ID", "Erlauben: Kennung eingeben", "允許：輸入 ID";
    Refuse = "Do not allow", "Nicht erlauben", "不允許";
    RefusedCustomer =
        "You did not allow it. Nothing has changed.",
        "Sie haben es nicht erlaubt. Nichts hat sich geändert.",
        "您沒有允許。一切維持不變。";
    RefusedTimeout =
        "Nobody answered, so it was refused. Nothing has changed.",
        "Niemand hat geantwortet, also wurde es abgelehnt. Nichts hat sich geändert.",
        "無人回答，因此視為拒絕。一切維持不變。";
    RefusedNoAdminId =
        "Refused: this device has no system administrator's ID that it could check.",
        "Abgelehnt: Dieses Gerät hat keine Kennung der Systemadministration, die es prüfen könnte.",
        "已拒絕：此裝置沒有可供核對的系統管理員 ID。";
    RefusedLocked =
        "Refused: the system administrator's ID was wrong too often.",
        "Abgelehnt: Die Kennung der Systemadministration war zu oft falsch.",
        "已拒絕：系統管理員 ID 錯誤次數過多。";
    RefusedLockedFor =
        "Refused: the system administrator's ID was wrong too often. It is looked at again in {time}.",
        "Abgelehnt: Die Kennung der Systemadministration war zu oft falsch. Geprüft wird sie wieder in {time}.",
        "已拒絕：系統管理員 ID 錯誤次數過多。{time}後才會再核對。";
    RefusedPolicy =
        "Refused: the owner of this device does not allow it.",
        "Abgelehnt: Der Eigentümer dieses Geräts erlaubt es nicht.",
        "已拒絕：此裝置的擁有者不允許。";
    RefusedVersions = "Refused: one of the two sides needs an update.", "Abgelehnt: Eine der beiden Seiten braucht eine Aktualisierung.", "已拒絕：此裝置無法使用另一方的程式。";
    RefusedInterrupted =
        "Not allowed: the connection was lost before there was an answer.",
        "Nicht erlaubt: Die Verbindung brach vor der Antwort ab.",
        "連線中斷，因此沒有允許。";
    RefusedBusy = "Refused: another question is still open.", "Abgelehnt: Eine andere Frage ist noch offen.", "已拒絕：另一個問題尚未回答。";

    // After a session.
    EndedTitle =
        "Remote Assistance has ended",
        "Die Fernunterstützung ist beendet",
        "遠端協助已結束";
    EndedNobody =
        "Nobody sees this screen any more.",
        "Niemand sieht diesen Bildschirm mehr.",
        "已沒有人看得到此畫面。";
    EndedWith = "Connected was {name}", "Verbunden war {name}", "連線者：{name}";
    EndedWhen =
        "{date}, {from} to {until} (UTC)",
        "{date}, {from} bis {until} (UTC)",
        "{date}，{from} 至 {until}（UTC）";
    DidGuide =
        "They saw this screen and pointed at it.",
        "Zu sehen war dieser Bildschirm, und es wurde darauf gezeigt.",
        "對方看到了此畫面並在上面指示。";
    DidControl =
        "They operated this panel.",
        "Dieses Gerät wurde bedient.",
        "對方操作了此面板。";
    DidConfigure =
        "They could change settings.",
        "Einstellungen konnten geändert werden.",
        "對方可以變更設定。";
    DidOther = "They used {mode}.", "{mode} wurde verwendet.", "對方使用了 {mode}。";
    EndedExit = "You pressed EXIT.", "Sie haben EXIT gedrückt.", "您按了 EXIT。";
    EndedStopKey =
        "You held {key} for 5 seconds.",
        "Sie haben {key} 5 Sekunden lang gehalten.",
        "您按住 {key}達 5 秒。";
    EndedOperator =
        "The support person ended it.",
        "Die Person vom Support hat es beendet.",
        "支援人員結束了連線。";
    EndedIdle =
        "Nobody had done anything for 15 minutes.",
        "15 Minuten lang hatte niemand etwas getan.",
        "已有 15 分鐘無人操作。";
    EndedCap =
        "The longest time for one session was over.",
        "Die längste Zeit für eine Sitzung war um.",
        "已達單次連線的時間上限。";
    EndedPeerLost =
        "The support person could no longer be reached.",
        "Die Person vom Support war nicht mehr zu erreichen.",
        "已無法聯絡到支援人員。";
    EndedPeerClosed =
        "The support person's program was closed.",
        "Das Programm des Supports wurde geschlossen.",
        "支援人員的程式已關閉。";
    EndedRelay =
        "The assistance service closed the connection.",
        "Der Unterstützungsdienst hat die Verbindung geschlossen.",
        "協助服務關閉了連線。";
    EndedRecord =
        "This device could no longer keep its record of what is done, so nothing more may happen.",
        "Dieses Gerät konnte nicht mehr aufzeichnen, was geschieht; also darf nichts mehr geschehen.",
        "此裝置已無法記錄所做的事，因此不得再進行任何動作。";
    EndedProtocol =
        "The two programs no longer understood each other.",
        "Die beiden Programme verstanden einander nicht mehr.",
        "兩端程式已無法互通。";
    EndedPanel =
        "This screen could no longer be read.",
        "Dieser Bildschirm konnte nicht mehr gelesen werden.",
        "已無法讀取此畫面。";
    EndedShutdown =
        "This device's assistance program was stopped.",
        "Das Unterstützungsprogramm dieses Geräts wurde angehalten.",
        "此裝置的協助程式已停止。";
    EndedCode = "The code was not right.", "Der Code stimmte nicht.", "代碼不正確。";
    EndedOther =
        "It ended for another reason.",
        "Es endete aus einem anderen Grund.",
        "因其他原因結束。";
}
