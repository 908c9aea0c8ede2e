//! The sentences, in English. A translation is one more column.

macro_rules! sentences {
    ($($id:ident = $english:literal;)*) => {
        /// A sentence, or a word on a button.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Id { $(#[doc = $english] $id,)* }

        impl Id {
            /// Every sentence.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// The sentence in English, with its slots in braces.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$id => $english,)* }
            }
        }
    };
}

sentences! {
    // Words that stand everywhere.
    Cancel = "Cancel";
    Close = "Close";
    Ok = "OK";
    Done = "Done";
    On = "On";
    Off = "Off";
    Start = "Start";
    Seconds = "{count} s";
    Minutes = "{count} min";
    MinutesSeconds = "{number} min {count} s";

    // The machine itself.
    DeviceName = "Multifunction printer";
    Ready = "Ready";
    Copy = "Copy";
    CopyHint = "Black or colour, one or two sides";
    Scan = "Scan";
    ScanHint = "Send a document to an address";
    AddressBook = "Address book";
    AddressHint = "Who scans are sent to";
    Jobs = "Jobs";
    JobsHint = "Progress, and stopping a job";
    Settings = "Settings";
    SettingsHint = "Sound, energy saver, paper";
    Copies = "Copies";
    CopiesHint = "Use the number keys. Clear makes it 1.";
    Colour = "Colour";
    ColourAuto = "Automatic";
    ColourBlack = "Black";
    Sides = "Sides";
    OneSided = "1-sided";
    TwoSided = "2-sided";
    Paper = "Paper";
    PaperA4 = "A4";
    PaperA3 = "A3";
    SendTo = "Send to";
    NoAddress = "No address yet";
    ChooseAddress = "Type an address";
    FileType = "File type";
    FilePdf = "PDF";
    FileJpeg = "JPEG";
    Copying = "Copying";
    Scanning = "Scanning";
    JobPage = "Page {number} of {count}";
    JobDone = "Finished";
    JobStopped = "Stopped";
    JobNone = "Nothing is being printed or scanned";
    JobNoneHint = "Jobs that you start show up here.";
    StopJob = "Stop job";
    AddressPrompt = "Name or address";
    KeySpace = "Space";
    KeySound = "Key sound";
    EnergySaver = "Energy saver after";
    TrayOne = "Tray 1";

    // Before a session.
    Assistance = "Remote Assistance";
    AssistanceHint = "Let support see this screen and guide you";
    AssistanceLive = "Support is connected";
    NoticeCaution = "Go on only if you called support yourself.";
    NoticeCautionMore = "Did somebody call you and ask you to open this? Hang up and choose Cancel.";
    NoticeWho = "Who can connect";
    NoticeWhoText = "One support person: the one who reads you a code of 12 digits. Their name stays on this screen.";
    NoticeSee = "What they can do";
    NoticeSeeText = "They see this screen, and point and draw on it. Your hands do the work. Anything more asks you first.";
    NoticeStop = "How to stop";
    NoticeStopText = "Press EXIT on the screen, or hold the # key for 5 seconds. Both work at any time.";
    NoticeKept = "What is noted";
    NoticeKeptText = "The service notes this device's serial number and the date and time. What is shown stays between you and the support person.";
    NoticeContinue = "I called support";
    EntryTitle = "Enter the access code";
    EntryHint = "Type the 12 digits that the support person reads to you, in three groups of four.";
    EntryReady = "All 12 digits are there. Press Connect.";
    EntryCheckDigit = "These are not the digits that were read to you: one is wrong, or two are swapped. Touch a group to type it again.";
    EntryShort = "The {part} group is not complete. A code has 12 digits.";
    EntryNotDigit = "The {part} group holds something that is not a digit.";
    EntryLong = "That is more than 12 digits. Ask for the code again, group by group.";
    PartFirst = "first";
    PartSecond = "second";
    PartThird = "third";
    Clear = "Clear";
    Connect = "Connect";
    Claiming = "Looking up the code";
    ClaimingText = "This takes a few seconds.";
    Connecting = "Connecting to";
    ConnectingText = "The code is being checked. Nobody sees this screen yet.";
    ConfirmedBy = "Name confirmed by {relay}";
    Unverified = "Nobody has confirmed this name";
    UnverifiedText = "Go on only if you know this person and called them yourself.";
    Unnamed = "Somebody without a name";

    // A code that led nowhere: what happened, then what to do.
    TryAgain = "Enter a code";
    Unknown = "The service does not know this code.";
    UnknownNext = "Ask the support person to read the code again, and type it once more.";
    Expired = "The time of this code is over.";
    ExpiredNext = "Ask the support person for a new code.";
    WrongOne = "This code is not right. It can be tried {count} more time.";
    WrongMany = "This code is not right. It can be tried {count} more times.";
    WrongNext = "Ask the support person to read the code slowly, group by group.";
    Burnt = "This code was wrong too often and no longer works.";
    BurntNext = "Ask the support person for a new code.";
    EntryLocked = "Too many wrong codes were typed on this device.";
    EntryLockedNext = "A code can be typed again in {time}.";
    EntryUnlocked = "A code can be typed again now.";
    NoDns = "The name of the assistance service was not found on the network.";
    NoDnsNext = "See that the network cable is plugged in, then try again. If it stays like this, tell your network administrator.";
    RelayUnreachable = "The assistance service does not answer on port 443.";
    RelayUnreachableNext = "Ask your network administrator to let this device reach port 443 of the service.";
    RelayUntrusted = "The assistance service could not prove that it is genuine.";
    RelayUntrustedNext = "Stop here and tell your network administrator: something on the way may be listening.";
    RelayName = "What answered is not the assistance service: its certificate is for another name.";
    RelayNameNext = "Ask your network administrator whether the name of the service is set right on this device.";
    RelayRefused = "The assistance service does not accept this device.";
    RelayRefusedNext = "Tell the support person the serial number of this device.";
    OperatorUnreachable = "The support person's computer does not answer.";
    OperatorUnreachableNext = "Stay on the phone and ask for a new code.";
    Incompatible = "This device and the support person's program do not understand each other.";
    IncompatibleNext = "One of them needs an update. Tell the support person.";
    OtherProblem = "The connection did not come about.";
    OtherProblemNext = "Try again, and tell the support person if it stays like this.";

    // During a session.
    Exit = "EXIT";
    BannerConfirmed = "confirmed by {relay}";
    BannerUnverified = "name not confirmed by anybody";
    MayGuide = "Sees this screen, points and draws on it";
    MayControl = "Sees this screen and operates it";
    MayConfigure = "Sees this screen, reads and changes settings";
    MayOther = "Sees this screen and uses {mode}";
    HoldToEnd = "or hold # for 5 s";
    KeepHolding = "Keep holding #";
    LinkMissing = "The support person has not been heard from for {time}.";
    LinkMissingText = "It goes on by itself when the network is back. You can end it now.";
    IdleWarning = "Nobody has done anything for a while. Assistance ends in {time}.";
    StayConnected = "Stay connected";
    Paused = "The support person waits while you use the panel.";
    SessionTitle = "Connected now";
    SessionEndHint = "EXIT ends it at once. The support person then sees nothing more.";
    AskControl = "May {name} operate this panel?";
    AskConfigure = "May {name} read and change settings?";
    AskOther = "May {name} use {mode}?";
    AskText = "You see everything that is done, and can end it at any time.";
    AskAdmin = "The system administrator's ID is needed for this.";
    AskExpires = "Without an answer this is refused in {time}.";
    Allow = "Allow";
    Refuse = "Do not allow";
    RefusedCustomer = "You did not allow it. Nothing has changed.";
    RefusedTimeout = "Nobody answered, so it was refused. Nothing has changed.";
    RefusedNoAdminId = "Refused: no system administrator's ID is set on this device.";
    RefusedLocked = "Refused: the system administrator's ID was wrong too often.";
    RefusedPolicy = "Refused: the owner of this device does not allow it.";
    RefusedBusy = "Refused: another question is still open.";

    // After a session.
    EndedTitle = "Remote Assistance has ended";
    EndedNobody = "Nobody sees this screen any more.";
    EndedWith = "Connected was {name}";
    EndedExit = "You pressed EXIT.";
    EndedStopKey = "You held the # key for 5 seconds.";
    EndedOperator = "The support person ended it.";
    EndedIdle = "Nobody had done anything for 15 minutes.";
    EndedCap = "The longest time for one session was over.";
    EndedPeerLost = "The support person could no longer be reached.";
    EndedPeerClosed = "The support person's program was closed.";
    EndedRelay = "The assistance service closed the connection.";
    EndedRecord = "This device could no longer keep its record of what is done, so nothing more may happen.";
    EndedProtocol = "The two programs no longer understood each other.";
    EndedPanel = "This screen could no longer be read.";
    EndedShutdown = "This device's assistance program was stopped.";
    EndedCode = "The code was not right.";
    EndedOther = "It ended for another reason.";
}
