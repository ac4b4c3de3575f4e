"""What people are asked about machines and labels, in Russian: patterns of the English questions, which name devices, jobs and drops."""

QUESTIONS_RU: tuple[tuple[str, str], ...] = (
    (r"(\S+) sends an event that this hub cannot read: (.+)\.", "{0} присылает событие, которое эта программа не читает: {1}."),
    (
        r"It waits at the device and comes again: are hub and bridge of different versions\?",
        "Оно ждёт в устройстве и придёт снова: не разных ли версий программа и мост?",
    ),
    (
        r"(\S+) tells what only a packaging machine can \((.+)\), and is none by the settings of this site\.",
        "{0} сообщает то, что может только фасовочный автомат ({1}), а по настройкам это не автомат.",
    ),
    (r"(\S+) speaks of job (\S+) \((.+)\), which (\S+) has\.", "{0} сообщает о задании {1} ({2}), а оно у {3}."),
    (
        r"(\S+) refused the command (\S+), which was sent to (\S+) for job (\S+)\.",
        "{0} отклонил команду {1}, а она была отправлена на {2} для задания {3}.",
    ),
    (
        r"Nothing was booked for it: look at the broker's rights and the bridge's settings\.",
        "Ничего не учтено: проверьте права на брокере и настройки моста.",
    ),
    (r"(\S+) speaks of a job that the hub never sent \((.+)\)\.", "{0} сообщает о задании, которого программа не отправляла ({1})."),
    (
        r"(\S+) is in doubt about drop (\d+), and says that (\d+) fell: only a person's count is booked\.",
        "{0} не уверен в отсчёте {1} и сообщает, что упало {2}: учитывается только подсчёт человека.",
    ),
    (r"(\S+) told of slot (\d+) \((.+)\), which the job has not\.", "{0} сообщает о ячейке {1} ({2}), которой в задании нет."),
    (
        r"(\S+) is in doubt about this pouch, and says that it lies at the camera: it gets no verdict\.",
        "{0} не уверен в этом пакете и сообщает, что он у камеры: решения по нему не будет.",
    ),
    (r"(\S+) let a pouch out that was not verified\.", "{0} выпустил непроверенный пакет."),
    (
        r"(\S+) refused the command '(.+)' about this job, which the hub did not send: (.+)",
        "{0} отклонил команду «{1}» об этом задании, которой программа не отправляла: {2}",
    ),
    (r"(\S+) did not take the verdict: (.+)", "{0} не принял решение: {1}"),
    (
        r"(\S+) is in doubt about slot (\S+) of job (\S+), which the hub never sent, and waits: nothing here can answer it\.",
        "{0} не уверен в ячейке {1} задания {2}, которого программа не отправляла, и ждёт: ответить ему отсюда нельзя.",
    ),
    (
        r"Take out the pouch, destroy it, and have an engineer clear the machine\.",
        "Выньте пакет, уничтожьте его и вызовите инженера освободить автомат.",
    ),
    (r"Cassette (\S+) gave (\d+) more than the books say it held\.", "Кассета {0} выдала на {1} больше, чем числилось."),
    (
        r"the machine dropped from cassette (\d+), cassette (\d+) was planned \(job (\S+)\)\.",
        "автомат взял из кассеты {0}, запланирована {1} (задание {2}).",
    ),
    (
        r"Cassette (\S+) is locked: accept when somebody has seen what is in it\.",
        "Кассета {0} заблокирована: подтвердите, когда её содержимое проверено.",
    ),
    (
        r"(\S+) lost power at drop (\d+) of (\d+) and does not know what fell \(event (\d+) of boot (\d+)\)\.",
        "у {0} пропало питание на отсчёте {1} из {2}, и он не знает, что упало (событие {3}, запуск {4}).",
    ),
    (r"It did not take the last answer \(([A-Z_]+)(?:: .+)?\): count again\.", "Последний ответ он не принял ({0}): сосчитайте ещё раз."),
    (
        r"It told before that this drop was counted: what was told then stays booked\.",
        "Раньше он сообщил, что этот отсчёт выполнен: сообщённое тогда остаётся учтённым.",
    ),
    (r"By the hub's books this job had ended \((.+)\)\.", "По учёту это задание уже закончено ({0})."),
    (
        r"(\S+) booked (\d+) for a doubt that was settled with (\d+) before: (\d+) stay booked\.",
        "{0} учёл {1} там, где раньше решено {2}: учтённым остаётся {3}.",
    ),
    (r"(\S+) was told that (\d+) fell", "{0} получил ответ, что упало {1}"),
    (r"nobody decided that here\.", "здесь этого никто не решал."),
    (r"a person here had counted (\d+)\.", "здесь человек насчитал {0}."),
    (r"It asked about drop (\d+) and booked drop (\d+)\.", "Он спрашивал об отсчёте {0}, а учёл отсчёт {1}."),
    (r"Drop (\d+) was booked before, as its sensor had counted", "Отсчёт {0} уже учтён по его датчику"),
    (r"nothing more was booked\.", "больше ничего не учтено."),
    (r"Pack (\S+) failed (\d+) times\.", "Упаковка {0} не прошла проверку {1} раз."),
    (r"The machine has not made this pouch in time\.", "Автомат не сделал этот пакет вовремя."),
    (
        r"Its label may have come out of (\S+), whole or in part: (.+)\.",
        "Её этикетка могла выйти из {0}, целиком или частично: {1}.",
    ),
    (r"Throw away what came", "Выбросьте то, что вышло"),
    (r"once this is settled it is printed anew\.", "после решения она будет напечатана снова."),
    (
        r"once this is settled a new label with another number is printed, and the old one is refused\.",
        "после решения будет напечатана новая этикетка с другим номером, а прежнюю система не примет.",
    ),
    (r"(\S+) does not take its label: (.+)\.", "{0} не принимает её этикетку: {1}."),
    (r"Nothing was printed", "Ничего не напечатано"),
    (r"once this is settled it is tried anew\.", "после решения попытка будет повторена."),
)
