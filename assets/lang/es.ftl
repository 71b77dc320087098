# Los textos de la ventana en español.

## common

quit = Salir
close = Cerrar
cancel = Cancelar
save = Guardar
copy = Copiar
remove = Quitar
discard = Descartar
resend = Volver a enviar
details = Detalles
delete = Eliminar
forward = Reenviar
dismiss = Descartar
settings = Ajustes
contacts = Contactos
new-message = Mensaje nuevo
sip-address = Dirección SIP
password = Contraseña
proxy = Proxy
your-name = Tu nombre
sign-in-name = Usuario
realm = Realm
unchanged = sin cambios
turn-off = Desactivar
save-as = Guardar como…
messages-count = { $count ->
        [one] 1 mensaje
       *[other] { $count } mensajes
    }
people-count = { $count ->
        [one] 1 persona
       *[other] { $count } personas
    }
all-files = Todos los archivos
unblock = Desbloquear
name-or-address = Nombre o dirección
search = Buscar
message = Mensaje
save-downloads = Guardar en Descargas
change-password = Cambiar contraseña
resend-to = Volver a enviar a { $count }
resend-may-double = Volver a enviar (puede llegar dos veces)
edit-address = Corregir dirección
send-text-alone = Enviar solo el texto
write-a-message = Escribe un mensaje
sign-in-again = Volver a iniciar sesión
edit-contact = Editar contacto
edit-list = Editar lista
own-window = Ventana propia
export-csv = Exportar CSV
no-results = Sin resultados
no-results-sentence = Sin resultados.

## panels

new-password = Contraseña nueva
change-password-why = Esto cambia la contraseña guardada en este equipo, no la del servidor. Se guarda cuando el servidor la haya aceptado.
remove-account-ask = { $address } se quita de este equipo. { $count ->
        [0] Sus contactos
        [1] Su conversación, sus contactos
       *[other] Sus { $count } conversaciones, sus contactos
    } y su contraseña se eliminan aquí para siempre. La cuenta sigue en su servidor y los demás conservan sus mensajes.
remove-account-waiting = { $count ->
        [one] Queda 1 mensaje
       *[other] Quedan { $count } mensajes
    } por enviar, y no se enviará nada más.
keep-account = Conservar la cuenta
remove-and-delete = Quitar y eliminar
leaving-waiting = { $count ->
        [one] 1 mensaje aún no se ha enviado. Se enviará
       *[other] { $count } mensajes aún no se han enviado. Se enviarán
    } cuando vuelvas a abrir Fanfare.
stay = Quedarse
discard-ask = ¿Descartar lo que has escrito?
keep-editing = Seguir editando
unblock-name = Desbloquear a { $name }
blocked-why = Lo que escriben se rechaza. Su programa les dice que no se ha entregado.
trust-new-certificate = Confiar en el certificado nuevo
trust-certificate = Confiar en este certificado
choose-ca-file = Elegir un certificado de CA…
certificate-changed-of = El certificado de { $server } ha cambiado
certificate-of = Certificado de { $server }
certificate-no-name = (sin nombre)
issued-to = Emitido para { $subject }
valid-until = Válido hasta el { $date }
fingerprint-trusted = Huella SHA-256 en la que confiabas
fingerprint-new = Huella SHA-256 del certificado nuevo
fingerprint = Huella SHA-256
fingerprint-check = Confía en él solo si quien administra el servidor te ha confirmado esta huella.
certificate-changed-why = Alguien podría estar interceptando la conexión. Confía en el certificado nuevo solo si quien administra el servidor te ha confirmado el cambio.
ca-file = Archivo del certificado de CA
ca-file-why = Un archivo PEM. Esta cuenta confiará en él en lugar de en las autoridades de certificación (CA) en las que confía tu equipo.
trust-ca = Confiar en esta CA
recipient-already = Esta dirección ya está entre los destinatarios.
correct-why = { $name } no ha recibido este mensaje. Se volverá a enviar solo a { $name }, a esta dirección.
change-contact-too = Cambiar también el contacto { $name }
send-to-address = Enviar a esta dirección
group-no-report = Sin informe
group-not-delivered = No entregado
group-waiting = En espera
group-not-sent = No enviado
group-passed-on = Transmitido
group-delivered = Entregado
group-read = Leído
close-delivery = Cerrar la entrega
tab-delivery = Entrega
tab-wire = Red
tab-matrix = Matriz
tab-checks = Pruebas
delivery-of-others = Este mensaje te lo enviaron a ti. Selecciona uno tuyo para ver quién lo ha recibido.
delivery-of-none = Selecciona un mensaje tuyo para ver quién lo ha recibido.
attempt-beside = intento { $number }
resend-to-failed = Volver a enviar a { $count } fallidos
resend-to-unconfirmed = Volver a enviar a { $count } sin confirmar
export = Exportar…
cancel-sending = Cancelar el envío
on-attempt = Al intento { $number }
check-account = Revisar la cuenta
add-contact-title = Añadir contacto
save-as-list-title = Guardar como lista
rename-title = Cambiar el nombre de la conversación
import-title = Importar contactos
correct-title = Corregir la dirección
whole-title = El mensaje completo
export-title = Exportar la conversación
record-title = Guardar el registro de entrega
later-title = Enviar más tarde
attach-title = Adjuntar un archivo
capture-title = Abrir una captura
authority-title = Elegir un certificado de CA
hosting-title = Un servidor en este equipo
certificate-title = ¿Es este tu servidor?
background-title = ¿Cerrar la ventana?
remove-account-title = ¿Quitar esta cuenta?
keys-title = Atajos de teclado
leaving-title = Aún hay mensajes en espera
export-html = Una página para leer e imprimir, con las imágenes.
export-text-name = Texto
export-text = Texto sin formato, un mensaje tras otro.
export-csv-purpose = Una tabla para hojas de cálculo: una línea por mensaje.
export-json = Para programas.
export-what = Todos los mensajes de esta conversación y quién los ha recibido.
faults-on = Fallos activos: { $faults }
faults-off = No hay fallos activos.
fault-in-vain = Esta cuenta está conectada por { $transport }: los fallos de datagramas no le afectan. Usa fallos de conexiones.
set-this-fault = Activar { $fault }
preset-tunnel = Túnel
preset-tunnel-why = No pasa nada durante 20 segundos.
preset-flapping = Wi-Fi inestable
preset-flapping-why = Durante 3 de cada 10 segundos no pasa nada.
preset-slow = Red móvil lenta
preset-slow-why = Una décima parte se pierde; el resto llega tarde y desordenado.
preset-crash = Caída del proxy tras el 202
preset-crash-why = El proxy se detiene de golpe cuando ya ha prometido entregar, y vuelve a los 2 segundos.
preset-reports = Informes perdidos
preset-reports-why = Se pierden los tres primeros envíos de informes.
fault = Fallo
set-fault = Activar fallo
hosting-what = Este equipo se convierte en el servidor de las personas de tu red: en casa, en una oficina, en un barco. Funciona mientras Fanfare esté abierto. Cada persona necesita una contraseña que tú le das, y nadie de fuera de la red puede entrar.
server-name = Nombre del servidor
server-name-example = Oficina de James
starting = Iniciando…
start-server = Iniciar el servidor
hosting-runs = Funciona en { $place }. Los demás lo ven cerca al abrir Fanfare.
hosting-off = No está en marcha. Nadie puede iniciar sesión aquí ahora.
stop-server = Detener el servidor
start-with-fanfare = Iniciarlo con Fanfare
hosting-fingerprint = Huella SHA-256 de su certificado, por la que los demás saben que es tuyo
people = Personas
remove-name = Quitar { $name }
remove-account = Quitar la cuenta
own-account = tu propia cuenta
remove-there-ask = ¿Quitar { $address }? Esta persona ya no podrá iniciar sesión aquí, y los mensajes que aún la esperan en este servidor se borran para siempre.
person-name = Nombre de la persona
add-account = Añadir una cuenta
password-only-now = Entrega la contraseña ahora: no se vuelve a mostrar cuando pulses «Listo», añadas otra cuenta o cierres Fanfare.
done = Listo
host-here-row = Alojar un servidor aquí…
show-server = Mostrar el servidor…
host-here-row-why = Para las personas de tu red local. Funciona mientras Fanfare esté abierto.
qr-code = Código QR de esta cuenta
import-what = vCard, CSV o direcciones en cualquier orden. Solo cuentan las direcciones SIP, no las de correo.
import-nothing = Nada que importar
import-contacts = { $contacts ->
        [one] Importar 1 contacto
       *[other] Importar { $contacts } contactos
    }
import-lists = { $lists ->
        [one] Importar 1 lista
       *[other] Importar { $lists } listas
    }
import-both =
    Importar { $contacts ->
        [one] 1 contacto
       *[other] { $contacts } contactos
    } y { $lists ->
        [one] 1 lista
       *[other] { $lists } listas
    }
paste-contacts = Pega aquí los contactos
file = Archivo
choose-file = Elegir archivo…
reading = Leyendo…
read-file = Leer archivo
import-new = { $count ->
        [one] 1 nuevo
       *[other] { $count } nuevos
    }
import-found-lists = { $count ->
        [one] 1 lista
       *[other] { $count } listas
    }
import-known = { $count ->
        [one] 1 ya conocido
       *[other] { $count } ya conocidos
    }
import-other-name = { $count ->
        [one] 1 conocido con otro nombre
       *[other] { $count } conocidos con otro nombre
    }
import-repeated = { $count ->
        [one] 1 repetido
       *[other] { $count } repetidos
    }
import-misread = { $count ->
        [one] 1 no entendido
       *[other] { $count } no entendidos
    }
import-left-out = { $count ->
        [one] 1 omitido
       *[other] { $count } omitidos
    }, demasiados a la vez
import-line = Línea { $line }: { $why }
import-no-address = Sin dirección SIP
import-not-understood = No entendido
import-is-new = Nuevo
import-already-known = Ya conocido
import-no-name = Conocido sin nombre
import-known-as = Conocido como { $name }
import-again = Como en la línea { $line }
later-day-like = Escribe el día así: 2026-12-24.
later-time-like = Escribe la hora así: 18:30.
later-past = Esa hora ya ha pasado.
later-too-far = Falta más de un año para eso.
day = Día
time = Hora
later-when = Se enviará { $when }, o la próxima vez que abras Fanfare.
later-own-time = La hora es la de este equipo.
schedule = Programar
notify-everything = Mostrar todo
notify-hide = Ocultar contenido
off = Desactivado
notify-why = Cuando llega un mensaje y cuando alguno no se ha podido entregar a alguien.
quiet = No molestar
quiet-until = hasta las { $time }
quiet-until-tomorrow = hasta mañana, { $time }
quiet-hour = Durante 1 hora
quiet-hours = Durante 8 horas
quiet-morning = Hasta mañana, { $time }
quiet-one = Para silenciar una sola conversación, haz clic derecho en la lista.
pause-presenting = Pausar durante las presentaciones
presenting-said = Las notificaciones esperan mientras este escritorio diga que estás presentando o que no quieres notificaciones.
presenting-not-said = Este escritorio no avisa a los programas cuando presentas. La mayoría retiene entonces las notificaciones por su cuenta.
presenting-where = Solo donde el escritorio avisa cuando presentas, como Plasma y dunst.
neither-address-nor-name = No es una dirección SIP ni el nombre de un contacto o de una lista.
conversation-name = Nombre de la conversación
conversation-name-hint = los nombres de sus participantes
conversation-name-why = Solo tú ves este nombre.
save-name = Guardar nombre
name = Nombre
save-contact = Guardar contacto
contact-without-name = Un contacto sin nombre
contact-has-address = { $name } ya tiene esta dirección.
edit-that-contact = Editar ese contacto
list-name = Nombre de la lista
list-name-example = Equipo
list-exists = Ya hay una lista llamada { $name }.
save-list = Guardar lista
add-people = Añadir personas
record-html = Una página para leer e imprimir.
record-json = Un objeto para programas.
record-csv = Una tabla para hojas de cálculo: una línea por persona e intento.
record-what = Cada intento, cada persona y lo que informó el servidor, palabra por palabra.
record-capture = Guardar también lo que pasó por la red (pcapng)
record-capture-why = El registro nombra entonces ese archivo y su SHA-256, para que se sepa que van juntos.
expires-not = No guardar
expires-hour = 1 hora
expires-day = 1 día
expires-week = 7 días
notifications = Notificaciones
blocked-people = Personas bloqueadas
writing = Escritura
testing = Pruebas
server-here = Servidor en este equipo
messages-here = Mensajes en este equipo
account = Cuenta
appearance = Apariencia
theme-system = Sistema
theme-light = Claro
theme-dark = Oscuro
text-size = Tamaño del texto y la interfaz
smaller = Más pequeño
larger = Más grande
typing-shown = Mostrar a los demás cuando escribo
typing-shown-why = En conversaciones con una sola persona; a los grupos nunca se les avisa.
enter-sends = Intro envía, Mayús+Intro empieza una línea nueva
undo-send = Después de enviar, un mensaje se puede recuperar
undo-send-not = Nunca
undo-send-5 = Durante 5 segundos
undo-send-10 = Durante 10 segundos
testing-mode = Modo de pruebas
testing-in-demo = Siempre activo en la demo.
testing-why = Observa los mensajes SIP en la red, junto a la entrega de cada mensaje. Las contraseñas no se muestran.
sign-in-name-hint = si no es la primera parte de la dirección
realm-hint = si no es el dominio de la dirección
register = Iniciar sesión para que otros te encuentren
peer-to-peer = Sin servidor (de equipo a equipo)
peer-to-peer-why = Quien alcance este equipo puede escribirte; los remitentes no se verifican.
receipts = Confirmaciones de lectura
receipts-why = Tus contactos, y las personas a las que has escrito, ven cuándo has leído sus mensajes. Tú ves cuándo han leído los tuyos, si su aplicación lo permite.
expires-why = Guardar los mensajes para quien no esté conectado, si el servidor lo permite:
save-account = Guardar cuenta
trusted-ca = Certificado de CA de confianza: { $path }
forget-ca = Olvidar el certificado de CA
trusted-certificate = Certificado de confianza para { $server }: SHA-256 { $sha }
forget-certificate = Olvidar el certificado
language = Idioma y formatos
language-system = Sistema
clock-label = Reloj
clock-24 = 24 horas
clock-12 = 12 horas
week-label = La semana empieza el
week-monday = lunes
week-saturday = sábado
week-sunday = domingo
welcome-encrypted = Sesión iniciada en { $server }. La conexión está cifrada.
welcome-clear = Sesión iniciada en { $server }. La conexión no está cifrada.
welcome = Sesión iniciada en { $server }.
no-answer-check = { $server } no responde. Comprueba la dirección del proxy y tu conexión de red.
connecting-button = Conectando…
connect = Conectar
automatic = Automático
port-wrong = «{ $port }» no es un puerto. Escribe un número del 1 al 65535, o nada.
lead-file = Del archivo. Comprueba la dirección y el servidor, y conecta.
lead = Escribe tu dirección SIP y su contraseña para empezar.
port = Puerto
port-hint = 5060, o 5061 para TLS
sign-in-name-short = si es otro
realm-short = si no es el dominio
authority = Autoridad de certificación
authority-why = La autoridad solo hace falta si tu empresa tiene una propia.
advanced = Avanzado
nearby-clear = Cerca: { $name } (sin cifrar)
nearby = Cerca: { $name }
nearby-at = { $domain }, en { $server }
no-account-yet = ¿Aún no tienes cuenta?
try-demo = Probar la demo
starting-demo = Iniciando la demo…
try-demo-why = Personas simuladas, solo en este equipo
host-here-why = Un servidor para las personas de tu red local
host-here = Alojar aquí
open-file-why = Una cuenta que te ha dado tu administrador como archivo
open-file = Abrir un archivo…
connecting-to = Conectando con { $server }…
looking-up = Buscando { $server }…
signing-in-to = Iniciando sesión en { $server }…
no-answer-yet = { $server } aún no responde, seguimos intentándolo…
found-server = { $server } encontrado
encrypted = Cifrado
not-encrypted = Sin cifrar
continue-offline = Continuar sin conexión
way-back-tray = Para volver a ver la ventana, haz clic en el icono de Fanfare en la bandeja.
way-back-start = Para volver a ver la ventana, abre Fanfare.
starting-closing = Inicio y cierre
keep-running-closed = Seguir funcionando al cerrar la ventana
still-reach-you = Así te siguen llegando los mensajes. { $how }
start-at-login = Iniciar sin ventana al abrir mi sesión
background-ask = Fanfare puede seguir funcionando sin su ventana: te siguen llegando mensajes y se te avisa. { $again } Ctrl+Q siempre cierra el programa.
keep-running = Seguir funcionando
change-in-settings = Puedes cambiarlo en los ajustes.
age-year = 1 año
age-half = 6 meses
age-month = 1 mes
measuring = Calculando…
oldest-from = El mensaje más antiguo es del { $date }.
delete-before-ask = ¿Eliminar de este equipo todos los mensajes anteriores al { $date }? No se podrán recuperar; los demás conservan los suyos.
delete-them = Eliminarlos
keep-them = Conservarlos
delete-older = Eliminar mensajes de más de
delete-older-than = Eliminar los de más de { $age }…
storage-with-files = { $all }; { $count } con archivos, { $size }
whole-message = Mensaje completo
whole-keys = Ctrl+A y Ctrl+C lo copian todo.
proxy-hint = vacío: se busca solo
export-html-name = HTML
export-csv-name = CSV
export-json-name = JSON
transport-tls = TLS
transport-tcp = TCP
transport-udp = UDP

## find

hit-of = { $at } de { $all }
unindexed = { $count ->
        [one] 1 mensaje antiguo todavía se está preparando
       *[other] { $count } mensajes antiguos todavía se están preparando
    } para la búsqueda.
find-here = Buscar en esta conversación
close-search = Cerrar la búsqueda
newer-result = Resultado más reciente (Mayús+Intro)
older-result = Resultado anterior (Intro)
month-before = Mes anterior
month-after = Mes siguiente
calendar-keys = Las flechas mueven; Re Pág y Av Pág cambian de mes.
go-to-day = Ir a este día
emoji-name = Nombre de un emoji (en inglés)
emoji = Emoji
emoji-none = Ningún emoji se llama así.
operator-from = Quién lo escribió: una parte de un nombre o dirección, o «me» para ti
operator-to = Quién más lo recibió
operator-failed = No llegó a alguien; añade una parte de un nombre para decir a quién
operator-file = Lleva un archivo
operator-before = Antes de un día, mes o año: 2026-11-30, 2026-11, 2026
operator-after = Ese día o después
find-how = Las palabras se buscan desde su comienzo; "entre comillas", exactamente.
show-more = Mostrar más
find-everywhere = Buscar en todos los mensajes
you = Tú
hit-in = en { $name }
hit-to = para { $name }
list-of = Lista de { $people }
palette-hint = Una persona, lista, conversación o comando
go-to = Ir a
palette-none = Nada se llama así.
list-named = Lista { $name }

## thread

back = Volver a todos los mensajes
to-everybody = Para { $people }
hide-delivery = Ocultar la entrega
show-delivery = Mostrar la entrega
simulated = simulado
hidden-from-each-other = ocultos entre sí
thread-empty = Aún no hay nada. Escribe el primer mensaje abajo.
go-newest-new =
    Ir al mensaje más reciente, { $count ->
        [one] 1 nuevo
       *[other] { $count } nuevos
    }
go-newest = Ir al mensaje más reciente
separator-new = Nuevo
no-text = Un mensaje sin texto
see-who-got-it = Ver quién lo ha recibido y cuándo
sent-when = (enviado: { $day }, { $time })
opening = Abriendo…
save-file = Guardar { $name }
enlarge = Ampliar { $name }
show-all = … Mostrar todo, { $size }
reply-only = Responder solo a { $name }
save-file-as = Guardar { $name } como…
selected = { $count ->
        [one] 1 mensaje seleccionado
       *[other] { $count } mensajes seleccionados
    }

## sidebar

no-account = Sin cuenta
saved-lists = Listas guardadas
no-contacts = Aún no hay contactos. Añade personas y marca varias para escribirles a todas.
no-matching-contacts = Ningún contacto coincide.
add-contact-button = Añadir
import-button = Importar…
export-button = Exportar
edit-name = Editar { $name }
edit-list-name = Editar la lista { $name }
clear-selection = Borrar la selección
write-to-count = Escribir a { $count }
save-as-list = Guardar como lista…
view-certificate = Ver el certificado del servidor
search-people = Buscar personas
messages = Mensajes
filter-all = Todos
filter-unread = No leídos
filter-failed = Fallidos
filter-archived = Archivados
slogan = Elige personas, escribe una vez, mira quién lo ha recibido.
no-unread = No hay mensajes sin leer.
no-failed = No hay mensajes fallidos.
no-archived = No hay conversaciones archivadas.
write-to-several = Escribir a varias personas
key-new-message = mensaje nuevo
key-go-to = ir a
key-search = buscar
key-all = todos los atajos
list-with = Lista { $name }: { $people }
try-now = Intentar ahora
unread-count = { $count } sin leer
marked-unread = marcada como no leída
pinned = fijada
muted = silenciada
pin = Fijar
unpin = Dejar de fijar
mute = Silenciar
unmute = Dejar de silenciar
mute-failures = Silenciar también los fallos
notify-failures = Volver a avisar de los fallos
mark-unread = Marcar como no leído
mark-read = Marcar como leído
archive = Archivar
unarchive = Sacar del archivo
new-message-draft = Mensaje nuevo, borrador: { $draft }
draft = Borrador:
draft-text = Borrador: { $draft }
count-not-delivered = { $count ->
        [one] 1 no entregado
       *[other] { $count } no entregados
    }
messages-not-delivered = { $count ->
        [one] No entregado
       *[other] { $count } mensajes no entregados
    }

## compose

click-to-remove = Haz clic para quitarlo
file-path = Ruta del archivo
drop-too = También puedes soltar un archivo en la ventana.
attach = Adjuntar
capture = Captura
capture-what = pcapng o pcap, escrito por Fanfare, tshark, sngrep o tcpdump, con SIP sobre UDP.
open = Abrir
open-to-attach = Abre una conversación para adjuntar archivos
drop-file = Suelta para adjuntar el archivo
drop-files = Suelta para adjuntar los archivos
send = Enviar
send-to = Enviar a { $count }
too-many-files = Un mensaje puede llevar como máximo { $most } archivos
too-many-people = Un mensaje puede enviarse como máximo a { $most } personas
too-long-by = Sobran { $count } bytes
in-an-hour = Dentro de una hora
tomorrow-at-9 = Mañana a las { $time }
monday-at-9 = El lunes a las { $time }
another-time = A otra hora…
attach-file = Adjuntar un archivo
attach-file-why = Adjuntar un archivo ({ $keys }; un mensaje puede llevar { $limit } en total)
make-pictures-smaller = Reducir las imágenes
send-at = Enviar más tarde…
goes-by-list = Puede que este servidor no informe de quién lo ha recibido
everyone-sees = Todos ven quién más lo recibe
recipients-hidden = Los destinatarios no se ven entre sí
hide-recipients = Ocultar a los destinatarios entre sí
bytes-of = { $count } de { $most } bytes
new-message-to = Mensaje nuevo para { $people }
no-picture-to-shrink = no es una imagen que Fanfare pueda reducir
cannot-be-read = no se puede leer
no-pixels = no tiene píxeles
pasted-picture = Imagen pegada.png
to-label = Para:
to = Para
chip-no-address = No es una dirección SIP. Escribe una como ana@example.com
chip-comma = Un dominio no lleva coma. { $meant }
did-you-mean = ¿Querías decir { $address }?
remove-chip-fault = Quitar { $name }: { $fault }
first-in-to = el primero: en To
in-secondary-to = en Secondary-To
chip-how = Clic para quitar; clic derecho para más
bad-recipients = { $count ->
        [one] 1 destinatario no es una dirección SIP: corrígelo o quítalo
       *[other] { $count } destinatarios no son direcciones SIP: corrígelos o quítalos
    }

## kit

today = Hoy
yesterday = Ayer
date-long = { $day } de { $month }
date-long-year = { $day } de { $month } de { $year }
date-weekday = { $weekday }, { $day } de { $month }
date-short = { $day } { $month }
date-short-year = { $day } { $month } { $year }
month-year = { $month } de { $year }
at-clock = a las { $time }
tomorrow-at-clock = mañana a las { $time }
on-day-at-clock = el { $day } a las { $time }
clock-am = { $time } a. m.
clock-pm = { $time } p. m.
simulated-tag = simulado
hide-password = Ocultar contraseña
show-password = Mostrar contraseña
offline-retry = Sin conexión, nuevo intento en { $wait }
offline-retrying = Sin conexión, reintentando…
waiting-keyring = Esperando al llavero…
signed-out = Sesión cerrada
not-connected = No conectado
connecting = Conectando…
connected-redirected = Conectado, redirigido a { $place }
connected = Conectado
password-needed = Falta la contraseña
sign-in-refused = Inicio de sesión rechazado
refused-next-try = { $refused }; próximo intento en { $wait }
certificate-changed = El certificado del servidor ha cambiado
wrong-password-realm = Contraseña o usuario incorrectos ({ $status }, realm { $realm }).
asks-for-password = Este servidor pide una contraseña ({ $code }).
wrong-password = Contraseña o usuario incorrectos
certificate-names-none = Este certificado no es para { $server }: no nombra ningún servidor.
certificate-names-others = Este certificado es para { $names }, no para { $server }.
no-sip-address = No es una dirección SIP. Escribe una como ana@example.com.
not-verified = Sin verificar
not-verified-why = Esto no ha llegado a través de tu servidor. Nadie ha comprobado quién lo envió; el nombre es solo lo que dice el remitente.
one-by-one = Se envía a cada persona por separado: este servidor no admite mensajes de grupo
by-list = Enviado como lista: este servidor no informa de quién lo ha recibido
one-writes = { $name } está escribiendo
two-write = { $one } y { $two } están escribiendo
many-write = { $one } y { $more } más están escribiendo
nobody = Nadie
names-and = { $names } y { $last }
names-and-more = { $names } y { $more } más
message-from = Mensaje de { $name }
message-from-with = Mensaje de { $name } con { $files }
wrote = { $name } escribió:
state-queued = Pendiente de envío
state-sending = Enviando…
state-accepted = El servidor lo tiene, esperando informe
state-delivered-at = Entregado a las { $time }
state-read-at = Leído a las { $time }
state-passed-on = Transmitido, llegada sin confirmar
state-deferred = Sin conexión. Se entregará cuando { $name } vuelva
state-no-report = No se ha recibido informe
state-cancelled = No enviado (lo cancelaste)
name-not-delivered = { $name }: no entregado
name-not-delivered-why = { $name }: no entregado, { $why }
bytes = { $count } bytes
day-monday = lunes
day-tuesday = martes
day-wednesday = miércoles
day-thursday = jueves
day-friday = viernes
day-saturday = sábado
day-sunday = domingo
day-short-monday = lun
day-short-tuesday = mar
day-short-wednesday = mié
day-short-thursday = jue
day-short-friday = vie
day-short-saturday = sáb
day-short-sunday = dom
day-initials-monday = lu
day-initials-tuesday = ma
day-initials-wednesday = mi
day-initials-thursday = ju
day-initials-friday = vi
day-initials-saturday = sá
day-initials-sunday = do
month-january = enero
month-february = febrero
month-march = marzo
month-april = abril
month-may = mayo
month-june = junio
month-july = julio
month-august = agosto
month-september = septiembre
month-october = octubre
month-november = noviembre
month-december = diciembre
month-short-january = ene
month-short-february = feb
month-short-march = mar
month-short-april = abr
month-short-may = may
month-short-june = jun
month-short-july = jul
month-short-august = ago
month-short-september = sept
month-short-october = oct
month-short-november = nov
month-short-december = dic

## commands

cmd-new-message = Mensaje nuevo
cmd-new-message-why = Elige personas, escribe una vez
cmd-palette = Ir a…
cmd-palette-why = Una persona, lista, conversación o comando, por una parte de su nombre
cmd-find-here = Buscar en esta conversación
cmd-find-everywhere = Buscar en todos los mensajes
cmd-go-to-date = Ir a una fecha…
cmd-go-to-date-why = Mostrar el primer mensaje de un día en esta conversación
cmd-export = Exportar conversación…
cmd-export-why = A una página, un texto, una tabla o JSON, según la extensión del nombre
cmd-emoji = Insertar un emoji
cmd-emoji-why = O escribe su nombre: :smile:
cmd-attach = Adjuntar archivos…
cmd-attach-why = Al mensaje que estás escribiendo
cmd-search = Buscar personas
cmd-search-why = Encontrar una conversación o un contacto
cmd-up = Conversación anterior
cmd-down = Conversación siguiente
cmd-unread-up = Conversación no leída anterior
cmd-unread-down = Conversación no leída siguiente
cmd-delivery = Columna de entrega
cmd-delivery-why = Mostrar u ocultar quién ha recibido el mensaje
cmd-wire = Red
cmd-wire-why = Observar los mensajes en la red, en el modo de pruebas y en la demo
cmd-resend-failed = Volver a enviar a quienes no lo han recibido
cmd-resend-failed-why = Un mensaje nuevo solo para ellos
cmd-next-failed = Siguiente mensaje no entregado
cmd-next-column = Columna siguiente
cmd-larger = Más grande
cmd-smaller = Más pequeño
cmd-normal-size = Tamaño normal
cmd-settings = Ajustes
cmd-open-account = Abrir un archivo de cuenta…
cmd-open-account-why = Uno que te ha dado tu administrador
cmd-sign-out = Cerrar sesión
cmd-sign-out-why = Hasta que vuelvas a iniciarla; aquí no te llega nada
cmd-sign-in = Iniciar sesión
cmd-change-password = Cambiar contraseña…
cmd-change-password-why = La que está guardada en este equipo
cmd-remove-account = Quitar cuenta…
cmd-remove-account-why = De este equipo, con sus mensajes
cmd-keys = Todos los atajos
cmd-quit = Salir
cmd-escape = Cerrar el diálogo o panel abierto
cmd-copy-text = Copiar texto
cmd-copy-delivery = Copiar con la entrega
cmd-copy-delivery-why = El texto, y quién lo ha recibido y quién no
cmd-quote = Citar
cmd-quote-why = Responder a todos aquí, citando este mensaje
cmd-reply = Responder solo al remitente
cmd-reply-why = Los demás no reciben la respuesta
cmd-forward = Reenviar
cmd-forward-why = Enviar esto a otras personas
cmd-save-as = Guardar como…
cmd-save-as-why = Elegir la carpeta y el nombre
cmd-details = Detalles
cmd-details-why = Quién lo ha recibido y cuándo
cmd-record = Guardar registro de entrega…
cmd-record-why = Cada intento, cada persona y lo que se informó
cmd-resend = Volver a enviar
cmd-resend-why = A quienes no lo han recibido
cmd-select = Seleccionar
cmd-select-why = Para copiar, reenviar o eliminar varios juntos
cmd-delete = Eliminar
cmd-delete-why = Solo en este equipo; los demás lo conservan
cmd-pin = Fijar
cmd-pin-why = Mantenerla arriba en la lista
cmd-mute-failures = Silenciar también los fallos
cmd-mute-failures-why = Ninguna notificación
cmd-mute = Silenciar
cmd-mute-why = Sin notificaciones de sus mensajes, solo de los fallos
cmd-mark-unread = Marcar como no leída
cmd-archive = Archivar
cmd-archive-why = Apartarla hasta que llegue algo nuevo
cmd-rename = Cambiar nombre…
cmd-rename-why = Solo para ti
cmd-block = Bloquear
cmd-block-why = Lo que escriba esta persona se rechaza
cmd-copy-addresses = Copiar direcciones
cmd-copy-addresses-why = De todas las personas de esta conversación
cmd-delete-conversation = Eliminar conversación
cmd-delete-conversation-why = Solo en este equipo; los demás conservan la suya
cmd-copy-address = Copiar dirección
cmd-write-to = Escribir un mensaje
cmd-edit-contact = Editar contacto
cmd-add-contact = Añadir a los contactos
cmd-remove-contact = Quitar contacto
cmd-put-first = Poner primero
cmd-put-first-why = En el campo To; los demás van en Secondary-To
cmd-remove-recipient = Quitar
cmd-edit-list = Editar lista
cmd-remove-list = Quitar lista
keys-enter = Intro, Mayús+Intro
keys-enter-why = Enviar, línea nueva (se puede intercambiar en los ajustes)
keys-up-down = Arriba, Abajo
keys-up-down-why = Mensaje anterior, siguiente
keys-page = Re Pág, Av Pág
keys-page-why = Desplazar los mensajes
keys-home = Inicio, Fin
keys-home-why = Primer mensaje, el más reciente
keys-undo = Ctrl+Z, Ctrl+Mayús+Z
keys-undo-why = Deshacer, rehacer en un campo de texto
keys-undo-else = Ctrl+Z en otro lugar
keys-undo-else-why = Recuperar lo que se acaba de eliminar
keys-menu = Clic derecho, Mayús+F10
keys-menu-why = Menú de un mensaje, una conversación o un contacto
keys-select = Ctrl+clic, Mayús+clic
keys-select-why = Seleccionar varios mensajes
keys-delete = Supr
keys-delete-why = Eliminar el mensaje que tiene el foco
key-ctrl = Ctrl
key-shift = Mayús
key-alt = Alt
key-up = Arriba
key-down = Abajo
key-plus = Más
key-minus = Menos
key-escape = Esc
block = Bloquear

## desktop

attach-files = Adjuntar archivos
open-capture-title = Abrir una captura
open-script-title = Abrir un guion
scripts-ron = Guiones (RON)
open-account-title = Abrir un archivo de cuenta
accounts-ron = Archivos de cuenta (RON)
contacts-files = Contactos (vCard, CSV, texto)
save-as-title = Guardar como
import-contacts-title = Importar contactos
new-messages-of = { $names } ({ $count ->
        [one] 1 mensaje nuevo
       *[other] { $count } mensajes nuevos
    })
cannot-reach = No se alcanza { $proxy }
messages-waiting = { $count ->
        [one] 1 mensaje en espera
       *[other] { $count } mensajes en espera
    }.
storm-title = { $count ->
        [one] 1 mensaje no ha
       *[other] { $count } mensajes no han
    } llegado a todos
storm-body = Abre Fanfare para ver a quién no ha llegado.
hidden-new = Mensaje nuevo
hidden-failed = Alguien no ha recibido un mensaje
show = Mostrar
mark-read-action = Marcar como leído
reply-to = Responder a { $count }
reply = Responder
tray-unread = { $count ->
        [one] 1 mensaje sin leer
       *[other] { $count } mensajes sin leer
    }
tray-failed = no todos han recibido un mensaje tuyo
tray-nothing = Nada nuevo
show-fanfare = Mostrar Fanfare

## testing

worst-first = Peores primero
by-name = Por nombre
share = Cuota
median = Mediana
percentile = 95 %
matrix-reached = alcanzó { $reached } de { $all }
matrix-not-delivered = { $count ->
        [one] 1 no entregado
       *[other] { $count } no entregados
    }
matrix-no-report = { $count } sin informe
matrix-open = { $count } aún en curso o retirados
after-time = tras { $time }
median-within = Mediana { $median }, 95 de 100 en menos de { $most }
plot-legend = Círculo: alcanzado, según lo que tardó. Cruz: no entregado. Rombo: ninguno de los dos.
plot-reached = alcanzado
plot-not-delivered = no entregado
plot-neither = ninguno
matrix-open-conversation = Abre una conversación para ver qué ha pasado con sus últimos mensajes.
matrix-nothing-sent = Aún no se ha enviado nada en esta conversación.
matrix-nothing = No hay mensajes que contar
file-cannot-be-read = { $file } no se puede leer: { $why }.
script-cannot-play = El guion no se puede ejecutar: { $why }.
run-ended-by-fault = La ejecución terminó por un fallo de Fanfare.
run-name = { $name }, semilla { $seed }
runs-passed = { $passed } de { $all } ejecuciones superadas
runs-not-played = { $count } sin ejecutar
script-wrong = { $name }: línea { $line }, columna { $column }: { $what }.
no-script = No hay ningún guion abierto
no-script-why = Un guion dice quién participa, qué sale mal y cuál debe ser el resultado. Se ejecuta en tiempo virtual y por su cuenta: desde aquí no se envía nada.
open-script = Abrir guion…
runs-count = { $count ->
        [one] 1 ejecución
       *[other] { $count } ejecuciones
    }
stop = Parar
run-again = Ejecutar otra vez
copy-result = Copiar resultado
script-path = Ruta del guion
examples = Ejemplos
example-script = Guion de ejemplo
playing-run = Ejecución { $number } de { $all }…
seed-passed = Semilla { $seed } superada
seed-failed = Semilla { $seed } fallida
check-passed = Superado, línea { $line }, tras { $secs } s
check-failed = Fallido, línea { $line }, tras { $secs } s
seen-instead = En su lugar se vio: { $what }
capture-cannot-save = La captura no se puede guardar: { $why }.
not-seen-here = no visto aquí
wire-from-to = { $at } { $what }, de { $from } a { $to }
transmission = (transmisión { $number })
wire-received = recibido
wire-sent = enviado
wire-seen = visto
wire-way-from-to = { $at } { $way } { $what }, de { $from } a { $to }
cut-messages = Solo se muestra el comienzo: como máximo { $messages } mensajes y { $size } MiB.
cut-packets = Solo se muestra el comienzo: se leen como máximo { $packets } paquetes.
cut-damaged = Leído hasta un lugar dañado: { $why }.
tcp-passed-over = Se han omitido { $count } segmentos TCP: solo se lee SIP sobre UDP.
submissions = Envíos
all-messages = Todos los mensajes
its-matrix = Su matriz
all-submissions = Todos los envíos
no-message-in-it = Sin ningún MESSAGE
reached-of = { $reached } de { $all } alcanzados
sent-times = { $count ->
        [one] enviado 1 vez
       *[other] enviado { $count } veces
    }
by-no-answer = (no se vio respuesta)
by-report = (según el informe)
by-leg = (según la respuesta del destinatario; no se vio informe)
by-answer = (según la respuesta)
recipient-answered = El destinatario respondió { $status } { $reason }
more-bytes = ({ $count } bytes más)
form-text = Texto
form-fields = Campos
copy-message = Copiar mensaje
wire-facts = { $at }, { $transport }, { $from } → { $to }, { $count } bytes
what-fault-did = Lo que hizo un fallo: { $what }
reader-cannot-read = { $reader } no puede leerlo: { $why }.
readers-agree = Los dos lectores coinciden.
field-title = Campo
filter = Filtro
filter-hint = una persona, un método, 486, 4xx …
both-ways = Ambos sentidos
sent = Enviados
received = Recibidos
anybody = Cualquiera
person = Persona
older-dropped = { $count } anteriores descartados
messages-of = { $shown } de { $all } mensajes
messages-all = { $all } mensajes
seen-by-client = Visto desde este equipo: los mensajes del proxy a los destinatarios no pasan por aquí.
seen-by-host = Tu servidor funciona aquí, así que también se muestran los mensajes que transmite por ti; los de otras personas, no.
this-message = Este mensaje
everything = Todo
continue = Continuar
pause = Pausa
clear = Vaciar
follow = Seguir
close-named = Cerrar { $name }
working-capture = Procesando una captura…
open-capture = Abrir captura…
save-capture = Guardar captura…
nothing-to-save = No hay nada que guardar.
no-messages-to-show = No hay mensajes que mostrar
wire-choose = Selecciona uno de tus mensajes en la conversación para ver lo que pasó por la red.
wire-nothing-recorded = No se registró nada de este mensaje, o ya se ha descartado.

## start

open-anyway = Abrir de todos modos
try-again = Reintentar
copy-details = Copiar detalles
messages-damaged = Tus mensajes están dañados
cannot-start = Fanfare no puede iniciarse
restore-why = Recuperas los mensajes tal como estaban el { $from }. Falta lo que llegó después. El archivo dañado se queda en este equipo, con otro nombre.
begin-anew-why = Tus mensajes se quedan en este equipo, con otro nombre, pero Fanfare no los mostrará. Los contactos y los ajustes se conservan.
backup-from = Hay una copia de seguridad del { $from }. Puedes restaurarla o empezar sin mensajes. No se elimina nada.
set-aside = Puedes apartar estos mensajes y empezar sin ninguno. No se elimina nada.
restore-it = Restaurarla
restore-backup = Restaurar la copia…
set-aside-begin = Apartar y empezar
begin-without = Empezar sin ellos…

## states

line-not-delivered = No entregado
line-some-not-delivered = { $count } de { $total } no entregados
line-no-report = No se ha recibido informe
line-some-no-report = { $count } de { $total } sin informe
line-cancelled = No enviado (lo cancelaste)
line-some-cancelled = { $count } de { $total } no enviados (lo cancelaste)
line-passed-on = Transmitido, llegada sin confirmar
line-some-passed-on = { $count } de { $total } transmitidos, llegada sin confirmar
line-read = Leído
line-read-both = Leído por ambos
line-read-all = Leído por los { $total }
line-some-read = Leído por { $count } de { $total }
line-delivered = Entregado
line-delivered-both = Entregado a ambos
line-delivered-all = Entregado a los { $total }
line-queued = Pendiente de envío
line-sending = Enviando…
line-accepted = El servidor lo tiene, esperando informe
line-under-way = Esperando a { $count } de { $total }
line-deferred = { $count } en espera de { $name }
line-deferred-two = { $count } en espera de { $one } y { $two }
line-deferred-more = { $count } en espera de { $one } y { $more } más
line-deferred-people = { $count } en espera de personas sin conexión
message-to =
    Mensaje para { $count ->
        [one] 1 persona
       *[other] { $count } personas
    }
count-read = { $count ->
        [one] 1 leído
       *[other] { $count } leídos
    }
count-delivered = { $count ->
        [one] 1 entregado
       *[other] { $count } entregados
    }
count-passed-on = { $count ->
        [one] 1 transmitido
       *[other] { $count } transmitidos
    }
count-failed = { $count ->
        [one] 1 no entregado
       *[other] { $count } no entregados
    }
count-no-report = { $count } sin informe
count-deferred = { $count } sin conexión
count-waiting = { $count } en espera
count-not-sent = { $count ->
        [one] 1 no enviado
       *[other] { $count } no enviados
    }
word-queued = En cola
word-sending = Enviando
word-accepted = Aceptado
word-no-report = Sin informe
word-deferred = Aplazado
word-failed = Fallido
word-cancelled = Cancelado
word-passed-on = Transmitido
word-delivered = Entregado
word-read = Leído
why-moved = Se ha mudado a otra dirección
why-unreadable = Su aplicación no pudo leer este mensaje
why-sign-in = Se rechazó el inicio de sesión
why-refused = Esa persona, o su servidor, lo rechazó
why-no-address = Esa dirección no existe
why-no-device = Su dispositivo no responde
why-gone = Esta dirección ya no existe
why-too-long = Mensaje demasiado largo para esa persona
why-offline = Sin conexión en este momento
why-loop = Bucle de enrutamiento en el camino
why-busy = Ocupado
why-server-busy = Su servidor está ocupado
why-server-problem = Su servidor tuvo un problema ({ $status })
why-declined = Esa persona lo rechazó
why-not-delivered = No entregado
why-server-silent = El servidor no respondió: puede que haya llegado, o no
why-broke = Se cortó la conexión con el servidor: puede que haya llegado, o no
why-tls = Solo se alcanza por TLS, que esta cuenta no usa
why-too-long-way = Mensaje demasiado largo para el camino al servidor
why-maybe = Su dispositivo no responde: puede que haya llegado, o no
why-no-fan-out = El servidor no envía un mensaje a varias personas
why-not-stored = No se pudo escribir en el disco. ¿Está lleno?
short-moved = se ha mudado
short-unreadable = no pudo leerlo
short-sign-in = inicio de sesión rechazado
short-refused = rechazado
short-no-address = esa dirección no existe
short-no-answer = no responde
short-gone = la dirección ya no existe
short-too-long = mensaje demasiado largo
short-offline = sin conexión
short-loop = bucle de enrutamiento
short-busy = ocupado
short-server-busy = servidor ocupado
short-server-problem = problema del servidor
short-declined = rechazado
short-not-delivered = no entregado
short-server-silent = el servidor no responde
short-broke = sin conexión con el servidor
short-tls = necesita TLS
short-not-sent = no enviado
failures-more = Y { $count } más.
local-no-answer = El servidor no responde
local-no-connection = La conexión con el servidor se cortó cada vez
local-no-final = No llegó respuesta
local-their-program = Su programa no pudo entregarlo
local-too-large = Demasiado grande para UDP, y el servidor no acepta conexiones TCP
local-no-tls = Exige TLS en todo el camino, y esta cuenta no usa TLS
local-not-reached = Redirigido, y no se alcanza a nadie en { $place }
local-redirected = Redirigido a { $place }
local-sign-in = No se pudo iniciar sesión: { $why }
local-list-server = El servidor lo transmite y no dice quién lo ha recibido
fault-no-password = el servidor pide una contraseña en el realm «{ $realm }», y esta cuenta no tiene ninguna
fault-other-realm = el servidor pide el realm «{ $asked }», y esta cuenta solo usa su contraseña para «{ $ours }»; si es tu servidor, pon el realm «{ $asked }»
fault-another-realm = el servidor pide el realm «{ $asked }», y esta cuenta solo usa su contraseña para otro; si es tu servidor, pon el realm «{ $asked }»
fault-wrong-password = la contraseña no es correcta para el realm «{ $realm }»
fault-algorithm = el servidor pide en el realm «{ $realm }» un tipo de prueba que este programa no conoce (conoce MD5, SHA-256 y SHA-512-256 con qop=auth)
fault-not-our-server = alguien, quizá el destinatario, pide tu contraseña en el realm «{ $realm }», en el que tu servidor no la ha pedido; si es tu servidor, pon el realm «{ $realm }»
fault-weaker = alguien, quizá el destinatario, pide en el realm «{ $realm }» una prueba de tu contraseña más débil que la que pide tu servidor, o innecesariamente larga
account-moved = El servidor se ha mudado a otra dirección: cámbiala en los ajustes
account-refused = El servidor rechazó esta dirección
account-unknown = El servidor no conoce esta dirección
account-interval = El servidor y este programa no se ponen de acuerdo en cada cuánto iniciar sesión
account-loop = Bucle de enrutamiento en el camino al servidor
account-other = El servidor se negó a conectar esta dirección
outage-not-granted = el servidor responde, pero no guarda ningún registro de este dispositivo
outage-not-found = no se encuentra el servidor { $server }
outage-not-found-why = no se encuentra el servidor { $server } ({ $why })
outage-refused = { $place } rechazó la conexión; comprueba la dirección y el puerto del servidor, y que esté en marcha
outage-answered = el servidor respondió { $answer }
outage-descriptors = este equipo no deja que el programa abra más conexiones (demasiados archivos abiertos)
tls-no-such-name = ningún certificado puede nombrar a { $server }
tls-none = el servidor { $server } no respondió con TLS; comprueba que su puerto sea uno para TLS
tls-old = el servidor { $server } solo habla una versión de TLS que ya no es segura (anterior a la 1.2)
tls-client-certificate = el servidor { $server } pide un certificado de cliente, que este programa no tiene
tls-unknown-name = el servidor { $server } no se reconoce por ese nombre
tls-refused = el servidor { $server } rechazó la conexión TLS
tls-failed = la conexión TLS con { $server } falló
tls-broke = la conexión TLS con { $server } se cortó ({ $why })
cert-wildcard = el certificado solo nombra a { $server } con un comodín (*.), lo que prohíbe el RFC 5922; un cliente lo acepta sin tls_strict
cert-expired-on = el certificado de { $server } caducó el { $day }
cert-expired = el certificado de { $server } ha caducado
cert-not-before = el certificado de { $server } no es válido antes del { $day }; ¿va bien el reloj de este equipo?
cert-not-yet = el certificado de { $server } aún no es válido; ¿va bien el reloj de este equipo?
cert-not-for = el certificado no es para { $server }
cert-for-others = el certificado es para { $names }, no para { $server }
cert-unknown-issuer = el certificado de { $server } no lo emitió nadie en quien confíe este equipo
cert-none = lo que muestra { $server } no es un certificado
cert-revoked = el certificado de { $server } fue revocado
cert-forged = el certificado de { $server } es falso: su firma no es correcta
cert-not-for-servers = el certificado de { $server } no es de un servidor
cert-other = no se puede confiar en el certificado de { $server }
password-coming = Esperando la contraseña del llavero de este sistema.
password-unanswered = El llavero de este sistema no responde. Desbloquéalo o vuelve a escribir la contraseña.
password-keyring = La contraseña se guarda en el llavero de este sistema.
password-file = La contraseña se guarda en { $path }, un archivo sin cifrar que solo tú puedes leer.
no-keyring = En este equipo no hay ningún llavero disponible. { $words }
slip-short = Un dominio no lleva coma. ¿Querías decir { $meant }?
slip-long = «{ $address }» no es una dirección válida: un dominio no lleva coma. ¿Querías decir { $meant }?
account-bad-address = «{ $text }» no es una dirección SIP ({ $why }); escríbela así: sip:james@domain.com.
account-no-user = «{ $text }» no dice quién ni en qué dominio; escríbela así: sip:james@domain.com.
account-bad-proxy = «{ $text }» no es la dirección de un servidor; escríbela así: sip.domain.com, tls:sip.domain.com o udp:192.0.2.1:5060.
account-proxy-clear = «{ $text }» no se alcanza por TLS, que exige una dirección que empieza por sips:; usa tls:.
account-proxy-websocket = «{ $text }» pide un WebSocket, que es para navegadores; usa tls:, tcp: o udp:.

## app

a-file = un archivo
saved-as = Guardado como { $path }
send-now = Enviar ahora
undo = Deshacer
busy = Fanfare está ocupado. Inténtalo de nuevo en un momento.
has-account = Esta ventana ya tiene una cuenta. Quítala primero y vuelve a abrir el archivo de cuenta.
no-account-here = Aquí no hay ninguna cuenta con la que hacerlo.
nothing-taken = No se ha tomado nada del archivo de cuenta.
blocked-here = Bloqueado: { $people }. Lo que escriba se rechaza.
link-while-writing = Estás escribiendo un mensaje nuevo. Envíalo y vuelve a seguir el enlace a { $address }.
link-to-stranger = El enlace lleva a { $address }, que no está entre tus contactos.
link-text-left-out = El texto del enlace se ha omitido: ya estás escribiendo algo aquí.
cannot-change = No se puede cambiar: { $why }.
contact-removed = { $name } ya no es un contacto.
person-blocked = { $name } está bloqueado. Lo que escriba se rechaza.
person-unblocked = { $name } ya no está bloqueado.
list-changed = La lista { $name } ha cambiado.
list-removed = La lista { $name } se ha quitado.
messages-deleted = { $count ->
        [one] El mensaje se elimina en este equipo. Los demás lo conservan.
       *[other] { $count } mensajes se eliminan en este equipo. Los demás los conservan.
    }
conversation-deleted = La conversación con { $name } se elimina en este equipo. Los demás conservan la suya.
not-deleted = No se pudo eliminar. ¿Está lleno el disco?
demo-is = Esto es la demo. Sus personas son simuladas y nada sale de este equipo.
demo-cannot-start = La demo no se puede iniciar: { $why }.
internal-error = un error interno
leave-demo = Salir de la demo
draft-discarded = El borrador se ha descartado.
draft-too-large = es más grande de lo que puede ser un mensaje
draft-too-many = se están escribiendo demasiados mensajes
draft-not-stored = el disco no lo admite
draft-not-kept = Lo que escribes no se conserva si Fanfare se cierra: { $why }.
ended = Fanfare se ha detenido por un error interno. No se envía ni se recibe nada. Tus mensajes anteriores están a salvo.
not-stored = No se pueden recibir mensajes: el disco de este equipo está lleno o falla. A los remitentes se les pide que lo intenten de nuevo. Haz sitio y llegarán.
restart = Reiniciar
open-to-export = Abre primero una conversación y luego expórtala.
nothing-to-export = Aquí no hay nada guardado que exportar.
not-exported = La conversación no se pudo exportar: { $why }.
nothing-failed = No ha fallado nada de lo que enviaste.
open-to-date = Abre primero una conversación y luego ve a una fecha.
open-to-emoji = Abre primero una conversación y luego inserta un emoji.
open-to-attach-first = Abre primero una conversación y luego adjunta el archivo.
not-restarted = Fanfare no se pudo reiniciar: { $why }.
sent-in = Se enviará en { $secs } s
leave-demo-first = Sal de la demo para alojar un servidor aquí.
sent-late = Un mensaje debía enviarse { $when }. Fanfare no estaba en marcha, así que se ha enviado ahora.
sent-late-to = Un mensaje para { $name } debía enviarse { $when }. Fanfare no estaba en marcha, así que se ha enviado ahora.
sent-late-to-more = Un mensaje para { $name } y { $more } más debía enviarse { $when }. Fanfare no estaba en marcha, así que se ha enviado ahora.
sends-to = Se enviará a { $count ->
        [one] 1 persona
       *[other] { $count } personas
    } { $when }
take-back = Recuperar
change-time = Cambiar hora
notices-missed = { $count ->
        [one] Llegaron demasiados avisos a la vez: 1 no se muestra.
       *[other] Llegaron demasiados avisos a la vez: { $count } no se muestran.
    }
store-damaged = { $path } está dañado: algunos mensajes pueden ser incorrectos. Vuelve a abrir Fanfare para ver qué se puede hacer.
no-browser = No se pudo abrir ningún navegador. La dirección es { $address }
picture-not-attached = La imagen no se puede adjuntar: { $why }.
no-notifications = Este escritorio no muestra notificaciones. Los mensajes nuevos y fallidos se marcan en la lista.
no-chooser = Este escritorio no tiene selector de archivos. Escribe la ruta del archivo.
no-provision = Este escritorio no tiene selector de archivos. Abre Fanfare con el archivo: fanfare --provision ARCHIVO
file-not-forwarded = Un archivo no se pudo leer y no se reenvía.
picture-too-large = { $name } ocupa { $size }. Un mensaje puede llevar { $most } en total.
attach-smaller = Adjuntar una copia más pequeña
shown-elsewhere = Se muestra en su propia ventana.
window-wire = red
window-matrix = matriz
draft-to = para { $people }
testing-first = Activa el modo de pruebas en los ajustes para observar los mensajes en la red.
