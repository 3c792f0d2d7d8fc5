workspace "logopsd" "A log receiver: takes any log line, masks personal data, stores it, and accounts for it." {

    model {
        operator = person "Operator" "Runs servers; sets it up, watches it, reads the records."

        senders = softwareSystem "Senders" "syslog daemons, devices, journals, programs, collectors." "External"
        systemd = softwareSystem "systemd" "Starts it, holds its sockets, expects its heartbeat." "External"
        prometheus = softwareSystem "Prometheus" "Scrapes the figures; its rules alert." "External"
        shipper = softwareSystem "Alloy or Promtail" "Ships the files on to Loki, which Grafana shows." "External"

        bus = softwareSystem "NATS JetStream or Loki" "Takes the records from the shipper, and keeps them elsewhere." "External"

        logopsd = softwareSystem "logopsd" "Turns any log line into one record, masks personal data, stores it, and answers for it." {
            daemon = container "Daemon" "One process: one event loop and a thread for each sink." "Python, asyncio" {
                listeners = component "listeners" "Sockets to bytes, and answers back; the page. The only place that knows sockets." "logopsd/listeners/"
                framing = component "framing" "Bytes to complete frames. Pure." "logopsd/framing/"
                pipeline = component "pipeline" "The way of one batch, as visible lines." "logopsd/pipeline.py"
                parsing = component "parsing" "Frames to records. Pure." "logopsd/parsing/"
                privacy = component "privacy" "Masks, pseudonymises, encrypts, a batch at a time. Pure." "logopsd/privacy/"
                encoding = component "encoding" "Records to NDJSON. Pure." "logopsd/encoding.py"
                compiled = component "compiled" "The usual frame, header and find in C, where a compiler was at hand; the rooms do all else." "logopsd/compiled/"
                sinks = component "sinks" "Bytes to files, in a thread of their own; group commit, rotation, receipts." "logopsd/sinks/"
                stored = component "stored" "Reads what the sinks have written: lines, sizes." "logopsd/stored/"
                retention = component "retention" "Deletes or archives old files." "logopsd/retention/"
                shipping = component "shipping" "Sends the files on, from saved positions; in a thread, or as a process of its own." "logopsd/shipping/"
                bus_room = component "bus" "How NATS is reached, and what a message is." "logopsd/bus/"
                metrics = component "figures" "Metrics with closed sets of labels, the account, the table of senders." "logopsd/figures/"
                root = component "composition root" "Builds all of these, starts and stops them in order." "logopsd/daemon.py"
                assembly = component "assembly" "Makes every part from the settings, and joins them." "logopsd/assembly/"
                workers = component "workers" "Makes several such processes one daemon, on several cores." "logopsd/workers/"
                chores = component "chores" "What runs beside the data: heartbeat, rounds, reload." "logopsd/chores/"
                keys = component "keys" "Keys that are kept in files." "logopsd/keys/"
                commands = component "commands" "The commands beside serving." "logopsd/commands/"
                config = component "config" "Settings of environment and file; every problem at once." "logopsd/config/"
            }
            cli = container "Command line" "check, status, tail, doctor, keygen, decrypt, rekey, housekeep, ship." "Python"
            records = container "Record files" "One a UTC day, masked; old ones zipped or deleted." "NDJSON" "Files"
            settings = container "Settings and keys" "The environment, a .env file, a key file or credential." "NAME=value" "Files"
        }

        senders -> listeners "send log lines" "syslog over UDP, TCP, TLS, RELP, Unix; HTTP"
        systemd -> root "starts, reloads, stops" "sockets, signals, sd_notify"
        prometheus -> listeners "scrapes the side port" "HTTP"
        shipper -> records "follows"
        operator -> cli "sets up, runs, asks"
        operator -> settings "writes"
        operator -> records "reads"
        operator -> listeners "watches the page" "HTTP, side port"
        operator -> prometheus "is alerted by"

        listeners -> framing "bytes"
        listeners -> pipeline "frames, documents"
        listeners -> metrics "counts, shows"
        pipeline -> parsing "frames"
        pipeline -> privacy "records"
        listeners -> compiled "has datagrams read"
        framing -> compiled "has usual frames cut"
        parsing -> compiled "has usual headers read"
        privacy -> compiled "has texts sifted"
        pipeline -> encoding "masked records"
        pipeline -> sinks "bytes and a receipt"
        pipeline -> metrics "counts, once a batch"
        sinks -> listeners "pause, resume, stored"
        sinks -> records "appends, fsyncs"
        listeners -> stored "the newest records"
        stored -> records "reads"
        retention -> records "deletes, archives"
        shipping -> records "reads, from its position on"
        shipping -> bus_room "ranges of lines"
        bus_room -> bus "publishes, waits for acknowledgements" "NATS"
        shipping -> bus "pushes" "HTTP"
        retention -> shipping "asks what is unshipped"
        cli -> bus "ships" "NATS, HTTP"
        root -> config "settings"
        root -> assembly "has all made"
        root -> chores "starts"
        workers -> root "starts, again where it dies, and asks for figures"
        assembly -> keys "opens"
        commands -> config "settings"
        root -> retention "runs each round"
        root -> listeners "starts last, stops first"
        config -> settings "reads"
        cli -> settings "checks"
        cli -> records "follows, decrypts, keeps house"
        cli -> listeners "asks for the status" "HTTP, side port"
    }

    views {
        systemContext logopsd "c1" "Level 1: logopsd among what is around it." {
            include *
            autoLayout lr
        }

        container logopsd "c2" "Level 2: what runs, and what it leaves on the disk." {
            include *
            autoLayout lr
        }

        component daemon "c3" "Level 3: the rooms of the daemon. Data goes straight down; only the receipt comes back up." {
            include *
            autoLayout tb
        }

        styles {
            element "Element" {
                background #dbe7f3
                color #1b2a3a
            }
            element "Person" {
                shape Person
                background #f6e3c5
            }
            element "External" {
                background #e6e6e6
            }
            element "Files" {
                shape Folder
                background #e3efd9
            }
        }
    }
}
